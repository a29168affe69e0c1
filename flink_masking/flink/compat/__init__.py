"""Changes to PyFlink, Beam and pyarrow, one module for each."""
