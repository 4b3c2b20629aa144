"""What watches Ringside: dashboards, rules, runbooks."""
