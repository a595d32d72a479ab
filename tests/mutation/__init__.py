"""Mutation testing of ``gridwatch/domain``: a small change to a rule that no test notices is a missing test.

``make mutants`` changes one thing at a time in a copy of the tree and runs the tests of the rules there. It
uses no package for that. mutmut 3 leaves out what stands outside of functions and inside decorated ones:
limits such as ``MAX_REGION``, every property of a gap. cosmic-ray also changes the ``|`` of type annotations,
which nothing can notice. Neither of them can take a sample.
"""
