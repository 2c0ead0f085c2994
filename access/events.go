package access

// The events that this package leaves in the activity log.
const (
	EventKeyCreated       = "api_key.created"
	EventKeyRevoked       = "api_key.revoked"
	EventOperatorCreated  = "operator.created"
	EventOperatorDisabled = "operator.disabled"
	EventOperatorEnabled  = "operator.enabled"
	EventOperatorRole     = "operator.role"
	EventOperatorPassword = "operator.password"
	EventOperatorTOTP     = "operator.totp"
	EventApprovalProposed = "approval.proposed"
	EventApprovalGiven    = "approval.given"
)
