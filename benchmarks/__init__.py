"""Measurements that live with the code: `./ringside bench NAME`. Each compares with a peer in the same run; none is a test.

Nothing is loaded here: the processes of a benchmark (`python -m benchmarks.SOMETHING`) are to start with what they need.
"""
