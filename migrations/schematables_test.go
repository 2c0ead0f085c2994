package migrations_test

// tables are all tables of the schema. A new rule, or a new column that is never null, gets its line here.
var tables = []table{
	{
		name: "players",
		row: `id          @
		      external_id 'ana#'
		      name        'Ana'
		      email       'ana.example'
		      currency    'USD'
		      status      'active'
		      created_at  now()`,
		keys: []key{{name: "players_pkey", columns: "id"}, {name: "players_external_id", columns: "external_id"}},
		checks: []check{
			{"players_status", []string{"status 'asleep'", "status ''"}, []string{"status 'blocked'", "status 'closed'"}},
		},
	},
	{
		name:  "player_tokens",
		first: `INSERT INTO players VALUES ('00000000-0000-0000-0000-000000000001', 'ana', 'Ana', 'ana.example', 'USD', 'active', now())`,
		row: `hash       '\x0#'
		      player_id  @1
		      created_at now()
		      expires_at now()`,
		keys:    []key{{name: "player_tokens_pkey", columns: "hash"}},
		foreign: []check{{name: "player_tokens_player_id_fkey", wrong: []string{"player_id @2"}}},
	},
	{
		name: "api_keys",
		row: `id          @
		      name        'site#'
		      hash        '\x0#'
		      scopes      '{}'
		      created_at  now()
		      owner       ''
		      scope_rules 1`,
		keys: []key{
			{name: "api_keys_pkey", columns: "id"}, {name: "api_keys_hash", columns: "hash"},
			{name: "api_keys_name", columns: "name", free: "revoked_at now()"},
		},
	},
	{
		name: "operators",
		row: `id            @
		      email         'ops#.example'
		      password_hash 'x'
		      role          'viewer'
		      created_at    now()
		      session_epoch 0
		      totp_step     0`,
		keys: []key{{name: "operators_pkey", columns: "id"}, {name: "operators_email", columns: "email"}},
		checks: []check{
			{"operators_role", []string{"role 'root'"}, []string{"role 'operator'", "role 'finance'", "role 'admin'"}},
		},
	},
	{
		name: "activity_log", appendOnly: true,
		row: `id       #
		      at       now()
		      event    'login'
		      operator ''
		      comment  ''
		      detail   '{}'`,
		keys: []key{{name: "activity_log_pkey", columns: "id"}},
	},
	{
		name: "accounts", // of players
		row: `id         #
		      player_id? @
		      currency   'USD'
		      kind       (ARRAY['cash', 'bonus'])[#]
		      balance?   0
		      version    0`,
		keys: []key{{name: "accounts_pkey", columns: "id"}, {name: "accounts_player", columns: "player_id kind"}},
		checks: []check{
			{"accounts_balance", []string{"balance NULL"}, nil},
			{"accounts_kind", []string{"kind 'casino'"}, []string{"kind 'bonus'"}},
		},
	},
	{
		name: "accounts", // of the house
		row: `id       #
		      currency 'US#'
		      kind     'casino#'
		      version  0`,
		keys: []key{{name: "accounts_house", columns: "currency kind"}},
		checks: []check{
			{"accounts_balance", []string{"balance 0"}, nil},
			{"accounts_kind", []string{"kind 'cash'", "kind 'bonus'"}, nil},
		},
	},
	{
		name: "transactions", appendOnly: true,
		row: `id           @
		      source       'cashier#'
		      external_id  't#'
		      kind         'deposit'
		      player_id    @
		      amount       1
		      cash_after   1
		      bonus_after  0
		      payload_hash '\x00'
		      at           now()`,
		keys: []key{{name: "transactions_pkey", columns: "id"}, {name: "transactions_key", columns: "source external_id"}},
	},
	{
		name: "transfers", appendOnly: true,
		row: `transaction_id @
		      leg            #
		      debit_account  1
		      credit_account 2
		      amount         1
		      at             now()`,
		keys: []key{{name: "transfers_pkey", columns: "transaction_id leg"}},
		checks: []check{
			{"transfers_amount", []string{"amount 0", "amount -1"}, nil},
			{"transfers_accounts", []string{"credit_account 1"}, nil},
		},
	},
	{
		name: "requests",
		row: `scope 'site#'
		      key   'k#'
		      hash  '\x00'
		      at    now()`,
		keys: []key{{name: "requests_pkey", columns: "scope key"}},
	},
	{
		name: "coupons",
		row: `id               @
		      player_id        @
		      status           'accepted'
		      currency         'USD'
		      stake            1
		      sent_amount      1
		      nominal          false
		      rate_mode        'reject'
		      lang             'en'
		      pointers         '{}'
		      coef             1
		      possible_win     0
		      payout           0
		      bet_code?        'code#'
		      placed_at        now()
		      settlement_count 0
		      bonus_stake      0
		      contribution     0
		      contributed      0
		      overruled        false
		      provider         'book#'`,
		keys: []key{{name: "coupons_pkey", columns: "id"}, {name: "coupons_bookmaker_code", columns: "bet_code provider"}},
		checks: []check{
			{"coupons_status", []string{"status 'asleep'"}, []string{
				"status 'placing'; open_since now()", "status 'unconfirmed'; open_since now()", "status 'won'", "status 'lost'",
				"status 'refunded'", "status 'rejected'", "status 'cancelled'",
			}},
			{"coupons_open", []string{"open_since now()", "status 'placing'", "status 'unconfirmed'", "status 'won'; open_since now()"}, nil},
			{
				"coupons_code",
				[]string{"bet_code NULL", "status 'won'; bet_code NULL", "status 'lost'; bet_code NULL", "status 'refunded'; bet_code NULL"},
				[]string{
					"status 'placing'; open_since now(); bet_code NULL", "status 'unconfirmed'; open_since now(); bet_code NULL",
					"status 'rejected'; bet_code NULL", "status 'cancelled'; bet_code NULL",
				},
			},
			{"coupons_money", []string{"stake 0", "stake -1", "sent_amount 0", "payout -1", "coef 0", "possible_win -1"}, []string{"payout 1"}},
		},
	},
	{
		name: "selections",
		row: `coupon_id  @
		      position   #
		      pointer    'p'
		      match_id   'm'
		      teams      't'
		      tournament 't'
		      bet_name   'b'
		      coef       1
		      live       false`,
		keys: []key{{name: "selections_pkey", columns: "coupon_id position"}},
	},
	{
		name: "provider_sessions",
		row: `provider      'bet#'
		      sealed        '\x00'
		      updated_at    now()
		      logins        0
		      login_refused false`,
		keys: []key{{name: "provider_sessions_pkey", columns: "provider"}},
	},
	{
		name: "callbacks",
		row: `id       @
		      at       '2026-06-0#'
		      provider 'bet'
		      path     '/'
		      source   '127.0.0.1'
		      body     ''
		      status   200`,
		keys: []key{{name: "callbacks_pkey", columns: "id at"}},
	},
	{
		name: "results",
		row: `id          #
		      bar_code    'code#'
		      decided_at  '2026-06-0#'
		      status      #
		      ext_status  #
		      amount_out? #
		      state       'pending'
		      callback_id @
		      received_at now()
		      provider         'book#'`,
		keys: []key{
			{name: "results_pkey", columns: "id"},
			{name: "results_once", columns: "bar_code decided_at status ext_status amount_out provider"},
			{name: "results_once", columns: "bar_code decided_at status ext_status amount_out provider", both: "amount_out NULL"},
		},
		checks: []check{{
			"results_state",
			[]string{"state 'asleep'"},
			[]string{"state 'applied'", "state 'stale'", "state 'duplicate'", "state 'parked'", "state 'refused'"},
		}},
	},
	{
		name: "result_chunks",
		row: `id         #
		      result_ids '{}'
		      guarded    false
		      rung       1
		      rung_at    now()`,
		keys: []key{{name: "result_chunks_pkey", columns: "id"}},
	},
	{
		name: "settlements", appendOnly: true,
		row: `coupon_id     @
		      n             #
		      result_id?    1
		      outcome       'won'
		      payout_before 0
		      payout_after  0
		      unit?         1
		      at            now()`,
		keys: []key{{name: "settlements_pkey", columns: "coupon_id n"}},
		checks: []check{
			{"settlements_outcome", []string{"outcome 'accepted'"}, []string{"outcome 'lost'", "outcome 'refunded'", "outcome 'cancelled'"}},
			{"settlements_payout", []string{"payout_before -1", "payout_after -1"}, nil},
			{"settlements_cause", []string{"result_id NULL"}, []string{"result_id NULL; outcome 'cancelled'"}},
			{"settlements_unit", []string{"unit 0", "unit -1"}, []string{"unit NULL"}},
		},
	},
	{
		name: "reversal_hours",
		row: `hour     '2026-06-0#'
		      currency 'US#'
		      count    0
		      amount   0`,
		keys: []key{{name: "reversal_hours_pkey", columns: "hour currency"}},
	},
	{
		name: "job_failures",
		row: `id        #
		      task_id   't'
		      type      't'
		      queue     'q'
		      payload   'p'
		      error     'e'
		      retried   0
		      failed_at now()`,
		keys: []key{{name: "job_failures_pkey", columns: "id"}},
	},
	{
		name: "game_sessions",
		row: `id         @
		      hash       '\x0#'
		      player_id  @
		      provider   'tg'
		      currency   'USD'
		      game_id    'g'
		      mode       'real'
		      created_at now()
		      expires_at now()`,
		keys:   []key{{name: "game_sessions_pkey", columns: "id"}, {name: "game_sessions_hash", columns: "hash"}},
		checks: []check{{"game_sessions_mode", []string{"mode 'free'"}, []string{"mode 'demo'"}}},
	},
	{
		name: "rounds",
		row: `provider     'tg#'
		      round_id     'r#'
		      player_id    @
		      game_id      'g'
		      bets         1
		      rolled_back  0
		      wins         0
		      staked       0
		      won          0
		      opened_at    now()
		      bonus_staked 0
		      uses         1`,
		keys: []key{{name: "rounds_pkey", columns: "provider round_id player_id"}},
		checks: []check{
			{"rounds_counts", []string{"bets -1; rolled_back -1", "rolled_back -1", "rolled_back 2"}, []string{"rolled_back 1", "bets 0"}},
		},
	},
	{
		name: "notices",
		row: `id             #
		      provider       'naga#'
		      transaction_id 't#'
		      body           ''
		      callback_id    @
		      state          'pending'
		      rung           1
		      rung_at        now()
		      received_at    now()
		      kind           'win#'
		      content        '\x0#'`,
		keys:   []key{{name: "notices_pkey", columns: "id"}, {name: "notices_once", columns: "provider transaction_id kind content"}},
		checks: []check{{"notices_state", []string{"state 'asleep'"}, []string{"state 'done'", "state 'refused'"}}},
	},
	{
		name: "bet_details", appendOnly: true,
		row: `transaction_id @
		      valid_stake?   0
		      jackpot_win    0`,
		keys:   []key{{name: "bet_details_pkey", columns: "transaction_id"}},
		checks: []check{{"bet_details_range", []string{"valid_stake -1", "jackpot_win -1"}, []string{"valid_stake NULL"}}},
	},
	{
		name: "bet_names",
		row: `source 'naga#'
		      name   'n#'
		      id     't'`,
		keys: []key{{name: "bet_names_pkey", columns: "source name"}},
	},
	{
		name: "games",
		row: `provider 'tg#'
		      code     'g#'
		      category 'slot'
		      studio   ''`,
		keys: []key{{name: "games_pkey", columns: "provider code"}},
	},
	{
		name: "statements",
		row: `id          @
		      provider    'tg'
		      source      'api'
		      window_from now()
		      window_to   now()
		      state       'loading'
		      cursor      ''
		      pages       0
		      lines       0
		      started_at  now()
		      complete    false
		      cut         false
		      unreadable  0`,
		keys: []key{{name: "statements_pkey", columns: "id"}},
		checks: []check{
			{"statements_source", []string{"source 'mail'"}, []string{"source 'file'"}},
			{"statements_state", []string{"state 'asleep'"}, []string{"state 'loaded'", "state 'matched'", "state 'failed'"}},
		},
	},
	{
		name: "statement_pages",
		row: `statement_id @
		      page         #
		      body         ''`,
		keys: []key{{name: "statement_pages_pkey", columns: "statement_id page"}},
	},
	{
		name: "statement_lines",
		row: `statement_id   @
		      page           1
		      transaction_id 't'
		      type           'bet'
		      player         'ana'
		      amount         1
		      currency       'USD'
		      status         'ok'
		      at             now()
		      round_id       'r'
		      again          false
		      word           ''
		      dated          true
		      amount_told    true`,
	},
	{
		name: "unreadable_lines",
		row: `statement_id @
		      page         #
		      line         #
		      body         ''
		      reason       'r'`,
		keys: []key{{name: "unreadable_lines_pkey", columns: "statement_id page line"}},
	},
	{
		name: "watermarks",
		row: `provider 'tg#'
		      until    now()`,
		keys: []key{{name: "watermarks_pkey", columns: "provider"}},
	},
	{
		name: "breaks",
		row: `id             @
		      provider       'tg#'
		      kind           (ARRAY['missing_here', 'missing_there'])[#]
		      transaction_id 't#'
		      player         'ana'
		      currency       'USD'
		      amount         1
		      state          'open'
		      action         'report'
		      at             now()
		      first_seen     now()
		      last_seen      now()
		      statement_id   @
		      sightings      0`,
		keys: []key{{name: "breaks_pkey", columns: "id"}, {name: "breaks_once", columns: "provider transaction_id kind"}},
		checks: []check{
			{"breaks_kind", []string{"kind 'asleep'"}, []string{
				"kind 'amount'", "kind 'status'", "kind 'currency'", "kind 'player'", "kind 'duplicate'", "kind 'unreadable'", "kind 'terms'", "kind 'id'",
			}},
			{"breaks_state", []string{"state 'asleep'"}, []string{"state 'healing'", "state 'resolved'", "state 'ignored'"}},
		},
	},
	{
		name: "break_events", appendOnly: true,
		row: `id       #
		      break_id @
		      at       now()
		      event    'seen'`,
		keys: []key{{name: "break_events_pkey", columns: "id"}},
	},
	{
		name: "ledger_seals", appendOnly: true,
		row: `n         #
		      after_id  @
		      until_id  @
		      transfers 1
		      hash      ''
		      sealed_at now()`,
		keys: []key{{name: "ledger_seals_pkey", columns: "n"}},
	},
	{
		name: "seals", appendOnly: true,
		row: `n               #
		      version         1
		      from_position?  1
		      until_position? 2
		      transactions    1
		      transfers       0
		      hash            ''
		      sealed_at       now()`,
		keys: []key{{name: "seals_pkey", columns: "n"}},
		checks: []check{
			{"seals_range", []string{
				"from_position NULL", "until_position NULL", "from_position NULL; until_position NULL", "after_id @1", "until_id @1",
				"after_id @1; until_id @2",
			}, []string{"after_id @1; until_id @2; from_position NULL; until_position NULL"}},
			{"seals_rows", []string{"transactions 0", "transfers -1"}, nil},
		},
	},
	{
		name: "closings", appendOnly: true,
		row: `day      '2026-06-0#'
		      currency 'US#'
		      item     'cash#'
		      ours     0
		      seal     1
		      made_at  now()
		      version  #`,
		keys: []key{{name: "closings_pkey", columns: "day currency item version"}},
	},
	{
		name: "bonuses",
		row: `id         @
		      player_id  @
		      campaign   'c'
		      status     'active'
		      currency   'USD'
		      granted    1
		      required   0
		      wagered    0
		      released   0
		      converted  0
		      terms      '{}'
		      operator   ''
		      granted_at now()
		      reopened   0
		      forgiven   0`,
		keys: []key{
			{name: "bonuses_pkey", columns: "id"},
			{name: "bonuses_active", columns: "player_id", free: "status 'expired'; ended_at now()"},
		},
		checks: []check{
			{"bonuses_status", []string{"status 'asleep'; ended_at now()"}, []string{
				"status 'completed'; ended_at now()", "status 'expired'; ended_at now()", "status 'forfeited'; ended_at now()",
			}},
			{"bonuses_ended", []string{"ended_at now()", "status 'expired'"}, nil},
			{"bonuses_money", []string{"granted 0", "required -1", "converted -1"}, nil},
		},
	},
	{
		name: "allowances",
		row: `player_id @
		      limits    '{}'
		      zone      'UTC'
		      rolling   false
		      earlier   '{}'
		      since     now()`,
		keys: []key{{name: "allowances_pkey", columns: "player_id"}},
	},
	{
		name: "usage_quarters",
		row: `player_id @
		      quarter   '2026-06-0#'
		      deposited 0
		      lost      0
		      staked    0`,
		keys: []key{{name: "usage_quarters_pkey", columns: "player_id quarter"}},
	},
	{
		name: "adjustments",
		row: `id         @
		      reference  'ref#'
		      player_id  @
		      amount     1
		      comment    'c'
		      operator   'ops'
		      status     'pending'
		      created_at now()`,
		keys: []key{{name: "adjustments_pkey", columns: "id"}, {name: "adjustments_reference", columns: "reference"}},
		checks: []check{
			{"adjustments_status", []string{"status 'asleep'"}, []string{"status 'posted'", "status 'refused'"}},
			{"adjustments_comment", []string{"comment ''"}, nil},
			{"adjustments_two", []string{"status 'posted'; decided_by 'ops'", "decided_by 'ops'"}, []string{
				"status 'posted'; decided_by 'boss'", "status 'refused'; decided_by 'ops'",
			}},
		},
	},
	{
		name: "suspense",
		row: `id             @
		      transaction_id 't#'
		      event          (ARRAY['deposit_succeeded', 'deposit_failed'])[#]
		      reason         (ARRAY['unknown_player', 'currency'])[#]
		      player         'ana#'
		      currency       'US#'
		      amount         #
		      booked         0
		      method         'pix'
		      at             now()
		      ended_by       ''
		      comment        ''`,
		keys: []key{
			{name: "suspense_pkey", columns: "id"},
			{name: "suspense_once", columns: "transaction_id event reason player currency amount"},
		},
		checks: []check{
			{"suspense_event", []string{"event 'asleep'"}, []string{
				"event 'deposit_returned'", "event 'withdrawal_paid'", "event 'withdrawal_failed'", "event 'withdrawal_returned'",
			}},
			{"suspense_reason", []string{"reason 'asleep'"}, []string{"reason 'conflict'", "reason 'contradiction'"}},
		},
	},
	{
		name: "coupon_answers",
		row: `coupon_id   @
		      bet_code?   'code'
		      http_status 200
		      reason      'r'
		      body        ''
		      body_size   0
		      at          now()
		      asked       0`,
		keys: []key{{name: "coupon_answers_pkey", columns: "coupon_id"}},
		checks: []check{{
			"coupon_answers_ask", []string{"ask_at now(); bet_code NULL"}, []string{"ask_at now()", "bet_code NULL"},
		}},
	},
	{
		name: "login_delays",
		row: `subject  's#'
		      failures 1
		      last_at  now()
		      until    now()`,
		keys: []key{{name: "login_delays_pkey", columns: "subject"}},
	},
	{
		name: "operator_sessions",
		row: `token   't#'
		      data    ''
		      expiry  now()
		      seen_at now()`,
		keys: []key{{name: "operator_sessions_pkey", columns: "token"}},
	},
	{
		name: "approvals",
		row: `id         @
		      operation  'decide#'
		      subject    's#'
		      terms      't#'
		      operator   'ops'
		      comment    'c'
		      created_at now()`,
		keys: []key{
			{name: "approvals_pkey", columns: "id"},
			{name: "approvals_waiting", columns: "operation subject terms", free: "decided_at now()"},
		},
	},
	{
		name: "installation", alone: true, first: `DELETE FROM installation`,
		row: `one        true
		      id         @
		      made_at    now()
		      generation 1
		      token      @
		      turned_at  now()`,
		keys:   []key{{name: "installation_pkey", columns: "one"}},
		checks: []check{{"installation_one_check", []string{"one false"}, nil}},
	},
}
