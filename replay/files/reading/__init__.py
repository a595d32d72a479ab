"""Files opened, their headers matched to a profile, and their lines read.

opening.py        packing and encoding, found out from the start of a file; its text
spreadsheets.py   the first sheet of a workbook as lines
headers.py        which column is which
first_lines.py    the line of the header, whatever stands above it
reader.py         lines through the parser of the profile to blocks of rows; bad rows
"""
