"""The input and output of `gridwatch score`.

database  reads what was detected, and the readings around a difference
sums      windows and regions against what they must be
stored    reads readings, windows and regions by meter
readings  the readings of a meter, and what is certain about its slots
windows   what the windows of a meter must be
quarters  what the quarters of the regions must be
anomalies what was injected and what was found
judged    the windows of a meter that are judged for anomalies
beginnings  which of them begin one, by the definition
usual     what a meter usually uses
spreading energy over a span, by window
text      the score for a terminal
page      the score as one HTML file
"""
