"""Encoders and decoders: between the bytes of a topic and the objects of the domain.

decode.py   decodes raw records
wire.py     encodes outputs as messages
regions.py  records and outputs of the stage `regions`
encoded.py  encoded outputs
origin.py   reads the origin of an encoded output
"""
