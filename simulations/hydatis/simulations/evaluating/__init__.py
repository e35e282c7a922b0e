"""How good an ensemble is at placing pods, beside what clusters have today.

`contenders` names who is compared, `placement` plays them against each other.
"""
