"""Profiles of public data sets.

ausgrid.py    Ausgrid solar homes, Sydney
cer.py        CER smart meter trial, Ireland
eemeter.py    samples of the Python package eemeter
goiener.py    GoiEner, Spain
london.py     Low Carbon London, as published and as on Kaggle
simbench.py   SimBench load profiles, Germany
uci.py        UCI ElectricityLoadDiagrams20112014, Portugal
"""
