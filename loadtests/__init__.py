"""People at work, by locust: reps, managers and mobiles, over HTTP and on the live socket.

`./ringside bench load` starts everything and runs them. By hand, against a hub that runs elsewhere, write a plan
(loadtests.plan), then `RINGSIDE_LOAD_PLAN=plan.json locust -f loadtests/locustfile.py --headless -u 100 -r 10 -t 10m`.
"""
