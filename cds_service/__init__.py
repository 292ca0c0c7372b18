"""Bone Health CDS: a CDS Hooks service for bone health in adults."""

__version__ = "0.1.0"
