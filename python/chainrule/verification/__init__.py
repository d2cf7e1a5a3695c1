"""Verification: a network's numbers compared with the same numbers computed in other ways.

verify            `verify` as a function; `Network.verify` does the same
case              its checks: the core against the reference, central differences, float64 and itself
gradient_check    `gradcheck`: the derivative of a caller's own loss against central differences
differences       the derivative of a function, found by moving one number at a time
rounding          a bound on the change of a result through rounding alone
report            the result of both functions: a table of errors and their tolerances
"""
