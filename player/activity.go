package player

import "evens/activity"

// EventPlayerStatus is the event of the activity log that a player's new status leaves.
const EventPlayerStatus = "player.status"

// Activity is a line of the activity log.
type Activity = activity.Entry

// The activity log, as this package writes it.
var (
	Log           = activity.Log
	queueActivity = activity.Queue
)
