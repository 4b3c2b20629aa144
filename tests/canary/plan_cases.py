"""Why the canaries' statements are not looked at in the large company."""

from hub.sqlfiles import load_sql

NOT_LOOKED_AT = {
    f"canary.{name}": "it reads a few rows of the canaries, along keys; see 0023 for large tables" for name in load_sql("canary")
}
