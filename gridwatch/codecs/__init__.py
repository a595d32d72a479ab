"""Encoders and decoders: between the bytes of a topic and the objects of the domain.

decode.py   decodes raw records
wire.py     encodes outputs as messages
encoded.py  encoded outputs
origin.py   reads the origin of an encoded output
"""
