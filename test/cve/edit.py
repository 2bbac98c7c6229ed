"""One defence edited out of the sources."""

import collections

# theme, name: for the command line. changes: (file, old text, new text); the old one must be there once.
# target: what is built. tests: filters of a unit test, or commands (tuples) that get the built runtime. says: what
# is to be in the output of those that fail.
Edit = collections.namedtuple("Edit", "theme name target changes tests says", defaults=("",))
