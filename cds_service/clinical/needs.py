"""What the facts read. Prefetch templates, searches and the list of data read are derived from these."""

from __future__ import annotations

from cds_service.kernel.needs import Need

PATIENT = Need("patient", "Patient", by_id=True)
CONDITIONS = Need("conditions", "Condition")
MEDICATION_REQUESTS = Need("medicationRequests", "MedicationRequest")
MEDICATION_DISPENSES = Need("medicationDispenses", "MedicationDispense")
MEDICATION_ADMINISTRATIONS = Need("medicationAdministrations", "MedicationAdministration")
MEDICATION_STATEMENTS = Need("medicationStatements", "MedicationStatement")
BONE_DENSITY = Need("boneDensity", "Observation", ("dxa.t_score", "dxa.z_score", "dxa.bmd"))
BONE_REPORTS = Need("boneReports", "DiagnosticReport", ("dxa.report", "dxa.order", "dxa.vfa_order"))
PROCEDURES = Need("procedures", "Procedure")
VITAMIN_D = Need("vitaminD", "Observation", ("lab.25OHD",))
LABORATORY = Need("laboratory", "Observation", ("lab.eGFR", "lab.creatinine", "lab.calcium", "lab.albumin"))
SECONDARY_CAUSES = Need(
    "secondaryCauses",
    "Observation",
    ("lab.phosphate", "lab.ALP", "lab.magnesium", "lab.PTH", "lab.TSH", "lab.SPEP", "lab.tTG_IgA", "lab.testosterone"),
)
FRACTURE_RISK = Need("fractureRisk", "Observation", ("fracture_risk",))
FUNCTION = Need("function", "Observation", ("ms.EDSS", "falls", "mobility", "menopause", "cond.pregnancy"))
LIFESTYLE = Need("lifestyle", "Observation", ("lifestyle", "vitals", "family.parental_hip_fracture"))
FAMILY_HISTORY = Need("familyHistory", "FamilyMemberHistory")

MEDICATIONS = (MEDICATION_REQUESTS, MEDICATION_DISPENSES, MEDICATION_ADMINISTRATIONS, MEDICATION_STATEMENTS)
BONE_RESULTS = (BONE_DENSITY, BONE_REPORTS)
