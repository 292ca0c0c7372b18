"""`order-select`: advice while a glucocorticoid or a bone drug is being ordered and can still be changed."""

from __future__ import annotations

from hooks.knowledge import bone_health

SERVICE = bone_health(
    "order-select",
    title="Bone health at the order",
    description=(
        "Works out the dose of a systemic glucocorticoid that is being ordered, with what is taken already, and checks orders "
        "of osteoporosis drugs, calcium and vitamin D against labels and results. Other orders get no card."
    ),
    usage="Call it when an order is chosen or changed.",
)
