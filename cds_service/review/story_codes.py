"""The words of a story and the code each of them is written with; every code stands in `clinical/valuesets/`."""

from __future__ import annotations

from typing import TypeAlias

Coded: TypeAlias = tuple[str, str]

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_WHO = "http://hl7.org/fhir/sid/icd-10"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"

# --- drugs -----------------------------------------------------------------------------------------------------------
# Ingredients. Where two products of one drug matter, the story names a route; or it names a product (see PRODUCTS).
STEROIDS = {
    "prednisone": "8640", "prednisolone": "8638", "methylprednisolone": "6902", "hydrocortisone": "5492",
    "cortisone": "2878", "dexamethasone": "3264", "betamethasone": "1514", "triamcinolone": "10759",
    "deflazacort": "22396", "fluticasone": "41126", "budesonide": "19831", "corticotropin": "376",
}  # fmt: skip
BONE_DRUGS = {
    "alendronate": "46041", "risedronate": "73056", "ibandronate": "115264", "zoledronic acid": "77655",
    "pamidronate": "11473", "etidronate": "42682", "clodronate": "3350", "denosumab": "993449", "teriparatide": "32915",
    "abaloparatide": "1921069", "romosozumab": "2123126", "raloxifene": "72143", "bazedoxifene": "1441386",
}  # fmt: skip
OTHER_DRUGS = {
    # hormones, and what takes them away: aromatase inhibitors, GnRH analogues, depot medroxyprogesterone
    "anastrozole": "84857", "exemestane": "258494", "leuprolide": "42375", "goserelin": "50610", "degarelix": "475230",
    "medroxyprogesterone": "6691", "estradiol": "4083",
    # enzyme-inducing and other anticonvulsants
    "carbamazepine": "2002", "phenytoin": "8183", "phenobarbital": "8134", "primidone": "8691", "valproate": "40254",
    "oxcarbazepine": "32624", "topiramate": "38404",
    # sedatives, antidepressants, opioids, drugs for spasticity
    "diazepam": "3322", "lorazepam": "6470", "clonazepam": "2598", "zolpidem": "39993", "sertraline": "36437",
    "citalopram": "2556", "fluoxetine": "4493", "venlafaxine": "39786", "duloxetine": "72625", "tramadol": "10689",
    "oxycodone": "7804", "morphine": "7052", "baclofen": "1292", "tizanidine": "57258", "gabapentin": "25480",
    "pregabalin": "187832",
    # proton pump inhibitors, heparins and warfarin, thiazolidinediones, immunosuppressants, levothyroxine
    "omeprazole": "7646", "pantoprazole": "40790", "heparin": "5224", "enoxaparin": "67108", "warfarin": "11289",
    "pioglitazone": "33738", "azathioprine": "1256", "methotrexate": "6851", "tacrolimus": "42316",
    "ciclosporin": "3008", "levothyroxine": "10582",
    # multiple sclerosis; those without an ingredient in the value sets are products
    "interferon beta-1a": "75917", "interferon beta-1b": "72257", "ocrelizumab": "1876366", "ofatumumab": "712566",
    "rituximab": "121191", "mitoxantrone": "7005",
    # supplements
    "cholecalciferol": "2418", "ergocalciferol": "4018", "calcitriol": "1894", "calcifediol": "1889", "calcium": "1895",
}  # fmt: skip
PRODUCTS = {
    "letrozole 2.5 mg": "200064", "alendronate 70 mg tablet": "904431", "ibandronate 150 mg tablet": "904932",
    "ibandronate 3 mg syringe": "904952", "zoledronic acid 5 mg infusion": "705824",
    "zoledronic acid 4 mg infusion": "1114085", "denosumab 60 mg syringe": "993452",
    "denosumab 120 mg injection": "1046398",
    "natalizumab": "477484", "alemtuzumab": "1594663", "ublituximab": "2626359", "fingolimod": "1012895",
    "siponimod": "2121100", "ozanimod": "2288412", "ponesimod": "2532320", "cladribine": "2122641",
    "teriflunomide": "1310525", "dimethyl fumarate": "1373491", "diroximel fumarate": "2261794",
    "peginterferon beta-1a": "1546189", "dalfampridine": "897026",
    "cholecalciferol 400 units": "309263", "cholecalciferol 1,000 units": "199362",
    "cholecalciferol 2,000 units": "804146", "cholecalciferol 4,000 units": "1115877",
    "cholecalciferol 5,000 units": "857466", "cholecalciferol 10,000 units": "248506",
    "cholecalciferol 25,000 units": "1150266", "cholecalciferol 50,000 units": "705728",
    "ergocalciferol 50,000 units": "1367416", "calcium carbonate 500 mg": "318076",
    "calcium carbonate 1,250 mg": "282465", "calcium 1,250 mg with vitamin D 600 units": "1233607",
}  # fmt: skip
DRUGS = STEROIDS | BONE_DRUGS | OTHER_DRUGS | PRODUCTS
# Injected by a clinician, dose by dose: route and mg of one dose
DOSES = {
    "denosumab": ("subcutaneous", 60),
    "zoledronic acid": ("iv", 5),
    "romosozumab": ("subcutaneous", 210),
    "ibandronate": ("iv", 3),
}
# Injected by the patient
SELF_INJECTED = frozenset({"teriparatide", "abaloparatide"})
ROUTES = {
    "oral": ("26643006", "Oral route"),
    "iv": ("47625008", "Intravenous route"),
    "subcutaneous": ("34206005", "Subcutaneous route"),
    "topical": ("6064005", "Topical route"),
    "inhaled": ("", "Inhalation"),
}

# --- diagnoses -------------------------------------------------------------------------------------------------------
CONDITIONS: dict[str, Coded] = {
    "multiple sclerosis": (SNOMED, "24700007"),
    "relapsing multiple sclerosis": (SNOMED, "426373005"),
    "primary progressive multiple sclerosis": (ICD, "G35.B"),
    "secondary progressive multiple sclerosis": (SNOMED, "425500002"),
    # bone
    "osteoporosis": (SNOMED, "64859006"),
    "glucocorticoid-induced osteoporosis": (SNOMED, "390833005"),
    "osteopenia": (SNOMED, "312894000"),
    "other disorder of bone density": (ICD, "M85.80"),
    "osteomalacia": (SNOMED, "4598005"),
    "Paget's disease of bone": (SNOMED, "2089002"),
    "osteogenesis imperfecta": (SNOMED, "78314001"),
    "atypical femoral fracture": (ICD, "M84.750A"),
    "osteonecrosis of the jaw": (ICD, "M87.180"),
    "inflammation of the jaw": (ICD_WHO, "K10.2"),
    "bone metastasis": (SNOMED, "94222008"),
    "multiple myeloma": (SNOMED, "109989006"),
    "monoclonal gammopathy": (SNOMED, "277577000"),
    "irradiation": (ICD, "Z92.3"),
    # glands, minerals, vitamin D
    "adrenal insufficiency": (ICD, "E27.1"),
    "Cushing's syndrome": (SNOMED, "47270006"),
    "hypopituitarism": (ICD, "E23.0"),
    "hypogonadism": (SNOMED, "48130008"),
    "hyperthyroidism": (SNOMED, "34486009"),
    "hyperparathyroidism": (SNOMED, "66999008"),
    "primary hyperparathyroidism": (SNOMED, "36348003"),
    "hypoparathyroidism": (SNOMED, "36976004"),
    "hypercalcaemia": (ICD, "E83.52"),
    "hypocalcaemia": (SNOMED, "5291005"),
    "disorder of calcium metabolism": (ICD_WHO, "E83.5"),
    "familial hypophosphataemia": (ICD, "E83.31"),
    "kidney stones": (ICD, "N20.0"),
    "vitamin D deficiency": (SNOMED, "34713006"),
    "diabetes type 1": (SNOMED, "46635009"),
    "diabetes type 2": (SNOMED, "44054006"),
    # menopause and pregnancy; see also the keys `menopause` and `pregnant`
    "postmenopausal": (SNOMED, "76498008"),
    "premature menopause": (SNOMED, "373717006"),
    "surgical menopause": (ICD, "E89.40"),
    "climacteric": (ICD, "N95.1"),
    "amenorrhoea": (ICD, "N91.1"),
    "pregnancy": (SNOMED, "77386006"),
    # gut, liver, kidney
    "malabsorption": (SNOMED, "32230006"),
    "coeliac disease": (SNOMED, "396331005"),
    "Crohn's disease": (SNOMED, "34000006"),
    "ulcerative colitis": (SNOMED, "64766004"),
    "bariatric surgery": (ICD, "Z98.84"),
    "anorexia nervosa": (SNOMED, "56882008"),
    "oesophagitis": (SNOMED, "16761005"),
    "oesophageal reflux": (ICD, "K21"),
    "oesophageal ulcer": (SNOMED, "30811009"),
    "Barrett's oesophagus": (SNOMED, "302914006"),
    "oesophageal stricture": (SNOMED, "63305008"),
    "achalasia": (SNOMED, "45564002"),
    "chronic liver disease": (SNOMED, "328383001"),
    "cirrhosis": (SNOMED, "19943007"),
    "chronic kidney disease": (SNOMED, "709044004"),
    "chronic kidney disease stage 3": (SNOMED, "433144002"),
    "chronic kidney disease stage 4": (SNOMED, "431857002"),
    "chronic kidney disease stage 5": (SNOMED, "433146000"),
    "dialysis": (SNOMED, "105502003"),
    "kidney transplant": (SNOMED, "161665007"),
    "liver transplant": (ICD, "Z94.4"),
    "lung transplant": (ICD, "Z94.2"),
    # heart and vessels
    "myocardial infarction": (SNOMED, "22298006"),
    "stroke": (SNOMED, "230690007"),
    "deep vein thrombosis": (SNOMED, "128053003"),
    "pulmonary embolism": (SNOMED, "59282003"),
    # joints, immune system, frailty
    "rheumatoid arthritis": (SNOMED, "69896004"),
    "ankylosing spondylitis": (ICD, "M45"),
    "systemic lupus erythematosus": (ICD, "M32"),
    "frailty": (ICD, "R54"),
    "sarcopenia": (ICD, "M62.84"),
    # moving about
    "walking aid": (SNOMED, "360006004"),
    "wheelchair": (SNOMED, "225612007"),
    "bed": (ICD, "Z74.01"),
    "reduced mobility": (SNOMED, "8510008"),
    "abnormal gait": (SNOMED, "22325002"),
    "impaired balance": (SNOMED, "387603000"),
    "paraplegia": (ICD, "G82.20"),
    "quadriplegia": (ICD, "G82.50"),
    # habits; see also the keys `smoking` and `alcohol`
    "alcohol dependence": (SNOMED, "66590003"),
    "alcohol abuse": (SNOMED, "15167005"),
    "nicotine dependence": (ICD, "F17.210"),
}
# The code that says "osteoporotic", and the one of the injury chapter that leaves the cause open
FRACTURES = {
    "hip": ("M80.051A", "S72.001A"),
    "vertebra": ("M80.08XA", "S32.010A"),
    "wrist": ("M80.031A", "S52.501A"),
    "humerus": ("M80.021A", "S42.201A"),
    "pelvis": ("M80.0B1A", "S32.501A"),
    "rib": ("", "S22.31XA"),
    "hand": ("M80.041A", ""),
    "not stated": ("Z87.310", "Z87.81"),
    "atypical femur": ("M84.750A", "M84.750A"),
}
TRAFFIC = (ICD, "V89.2XXA")
FALLS = {"repeated": (ICD, "R29.6"), "once": (SNOMED, "1912002")}

# --- family ----------------------------------------------------------------------------------------------------------
FAMILY: dict[str, Coded] = {
    "parental hip fracture": (SNOMED, "445501000124107"),
    "maternal hip fracture": (SNOMED, "391096007"),
    "paternal hip fracture": (SNOMED, "445121000124105"),
    "osteoporosis": (SNOMED, "160313009"),
}
MEMBERS = {"mother": "MTH", "father": "FTH", "parent": "PRN"}
HIP_FRACTURE = (SNOMED, "5913000")

# --- observations ----------------------------------------------------------------------------------------------------
SMOKING = {"current": "449868002", "former": "8517006", "never": "266919005"}
T_SCORES = {"spine": ("38267-1", ""), "hip": ("38264-8", ""), "neck": ("38263-0", "femoral neck")}
Z_SCORES = {"spine": ("85394-5", ""), "hip": ("80933-5", ""), "neck": ("80934-3", "femoral neck")}
DENSITIES = {"spine": ("24966-4", ""), "hip": ("38261-4", "")}
VITAMIN_D = {"ng/mL": "62292-8", "nmol/L": "68438-1", "": "62292-8"}
CREATININE = {"mg/dL": "2160-0", "umol/L": "14682-9", "": "2160-0"}
ALBUMIN = {"g/L": "1751-7", "g/dL": "1751-7", "": "1751-7"}
# by unit and whether the laboratory has adjusted it for albumin
CALCIUM = {
    ("mmol/L", True): "29265-6", ("mmol/L", False): "2000-8",
    ("mg/dL", True): "46099-8", ("mg/dL", False): "17861-6",
}  # fmt: skip
# Tests that matter because they were done: code, a value that draws no attention, its unit
TESTS: dict[str, tuple[str, float, str]] = {
    "calcium": ("29265-6", 2.35, "mmol/L"),
    "ionised calcium": ("1995-0", 1.2, "mmol/L"),
    "albumin": ("1751-7", 42, "g/L"),
    "phosphate": ("14879-1", 1.1, "mmol/L"),
    "magnesium": ("2601-3", 0.85, "mmol/L"),
    "ALP": ("6768-6", 70, "U/L"),
    "creatinine": ("2160-0", 0.8, "mg/dL"),
    "eGFR": ("98979-8", 85, "mL/min/{1.73_m2}"),
    "PTH": ("2731-8", 40, "pg/mL"),
    "TSH": ("3016-3", 1.6, "m[IU]/L"),
    "SPEP": ("33358-3", 0, "g/dL"),
    "tTG-IgA": ("46128-5", 2, "U/mL"),
    "testosterone": ("2986-8", 480, "ng/dL"),
}
