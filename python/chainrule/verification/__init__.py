"""Does a network compute what it should? Its numbers beside those of other ways to compute them.

verify            `verify` as a function; a method of Network does the same
case              what it does: the core against the reference, central differences, float64 and itself
gradient_check    `gradcheck`: the derivative of a caller's own loss against central differences
differences       the derivative of a function by moving one number at a time
rounding          how far rounding alone can move a result
report            what both functions return: a table of errors beside their tolerances
"""
