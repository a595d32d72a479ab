"""Encoders and decoders of the wire: between the bytes of a topic and what the domain or a model takes.

decode.py   raw records as the domain takes them
wire.py     the domain's outputs as the messages of their topics
origin.py   where an encoded output comes from
"""
