"""An independent model of the semantics, slow and obvious, and what compares the domain with it."""
