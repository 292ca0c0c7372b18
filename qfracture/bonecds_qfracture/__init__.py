"""The QFracture-2012 equations as an optional risk model of Bone Health CDS. LGPL-3.0-or-later; see README.md."""

__version__ = "0.1.0"
