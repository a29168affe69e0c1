"""The declared contract of a field, checked for every value that a view shows: types, bounds, domains, closed lists, patterns."""
