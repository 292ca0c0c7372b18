"""`patient-view`: what to think of when the chart is opened."""

from __future__ import annotations

from hooks.knowledge import bone_health

SERVICE = bone_health(
    "patient-view",
    title="Bone health",
    description="Finds gaps in bone health care of adults with multiple sclerosis or on glucocorticoids, and says why.",
)
