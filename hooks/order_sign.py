"""`order-sign`: what still speaks against a drug when its order is signed."""

from __future__ import annotations

from hooks.knowledge import bone_health

SERVICE = bone_health(
    "order-sign",
    title="Bone health at signing",
    description=(
        "Names what still speaks against an osteoporosis drug when its order is signed. Advice about the order is given at "
        'order-select; a site whose EHR has no order-select sets order_advice = "sign" and gets it here.'
    ),
    usage="Call it once, when orders are signed.",
)
