//go:build sqlite_vtable

package agent_test

// childVar has no meaning there: no test starts a child.
const childVar = "HUNTER_TEST_AGENT_STATE"

func child() int { return 3 }

const endless = "WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
