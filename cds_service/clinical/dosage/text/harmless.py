"""What an instruction may say without changing the dose: a closed list.

Nothing here may be a number, a unit, a time, a condition ("unless", "if", "until seen", "for flares") or a comparison
("extra", "other"). A word that is not here makes the instruction unreadable, which is the safe side.
"""

from __future__ import annotations

import re


def _any_of(words: str) -> str:
    """A pattern for any of the words, which stand apart by blanks ("_" is a blank inside one), the longest first."""
    each = (word.replace("_", " ") for word in words.split())
    return "(?:" + "|".join(map(re.escape, sorted(each, key=len, reverse=True))) + ")"


DRUGS = _any_of(
    """
    prednisone prednisolone prednisolone_sodium_phosphate methylprednisolone methyl-prednisolone methylprednisolone_acetate
    methylprednisolone_sodium_succinate hydrocortisone cortisone cortisone_acetate dexamethasone betamethasone deflazacort
    triamcinolone budesonide fludrocortisone steroid steroids deltasone medrol solu-medrol solumedrol decadron cortef rayos
    orapred prelone millipred alendronate alendronic_acid fosamax risedronate actonel ibandronate ibandronic_acid
    zoledronic_acid denosumab prolia teriparatide raloxifene calcium calcium_carbonate vitamin_d vitamin_d3
    cholecalciferol colecalciferol ergocalciferol paracetamol acetaminophen ibuprofen aspirin codeine amoxicillin
    atorvastatin simvastatin omeprazole lansoprazole metformin amlodipine lisinopril levothyroxine methotrexate
    azathioprine benadryl albuterol salbutamol baclofen gabapentin pregabalin folic_acid
    """
)
ADJECTIVES = _any_of(
    """
    whole oral soluble dispersible effervescent enteric_coated enteric-coated ec e/c gastro-resistant gastroresistant coated
    film_coated film-coated modified_release modified-release prolonged_release prolonged-release extended_release
    extended-release slow_release slow-release delayed_release delayed-release mr sr er xr xl chewable scored small white
    disintegrating orally_disintegrating
    """
)
_REASONS = _any_of(
    """
    pain fever chronic acute severe mild moderate inflammation infection infections itching itch itchy rash hives allergy
    allergies allergic rhinitis reaction anxiety anxiety_attacks panic_attacks depression mood
    sleep insomnia nausea vomiting cough coughing congestion wheeze wheezing
    asthma copd exacerbation flare flare-up relapse ms multiple sclerosis arthritis rheumatoid gout lupus sle polymyalgia pmr
    rheumatica temporal giant cell arteritis gca crohn's crohns colitis ulcerative ibd psoriasis eczema dermatitis bone bones
    osteoporosis osteopenia breathing breath shortness breathlessness sob lung lungs chest heart blood pressure bp hypertension
    cholesterol hyperlipidemia lipids diabetes sugar thyroid hypothyroidism reflux heartburn gerd indigestion stomach upset acid
    ulcer constipation diarrhea diarrhoea bowel bowels movement gas bloating spasm spasms muscle muscles spasticity back neck knee
    joint joints headache migraine nerve neuropathy neuropathic seizure seizures epilepsy dizziness vertigo swelling edema
    oedema fluid retention urinary bladder urine uti prostate kidney stone stones supplement supplementation deficiency
    vitamin anemia anaemia iron potassium low high prevention prophylaxis protection adrenal insufficiency replacement
    transplant rejection immunosuppression optic neuritis eye eyes skin hair ear ears sinus sinusitis sinuses throat strep
    bronchitis pneumonia cold symptom symptoms disease disorder condition angina clot clots stroke rate rhythm afib
    fibrillation atrial weight appetite loss smoking cessation hot flashes restless leg legs cramp cramps tremor parkinson's memory
    adhd focus agitation psychosis bipolar stabilization contraception menopause hormone general health maintenance relief
    treatment management control discomfort fatigue energy weakness stiffness soreness injury surgery acne warts
    fungal viral bacterial herpes shingles hiv hepatitis malaria tb rib tooth toothache dental upper lower respiratory tract
    right left elbow shoulder hip wrist hand foot ankle
    """
)
_LINK = r"(?:and|or|of|the|your|with|to|in|from|due|/|,|&|associated|related|any)"
INDICATION = rf"(?:(?:the|your|his|her|any) )?{_REASONS}(?:(?: {_LINK}| ?/ ?| ?, ?)* ?(?<![a-z]){_REASONS})*"
"""What it is for, in words of the list."""

_MEAL = r"(?:meals?)"
_FOOD = (
    _any_of("food foods eating milk water juice snack snacks fluid fluids liquid liquids drink drinks fat")
    + "|"
    + _MEAL
)
_FOOD = rf"(?:{_FOOD})"
_SOME = r"(?:a|an|some|your|the|plenty of|lots of|little|light|full|main|large|small|glass of|cup of|or|fatty|high fat)"
_WITH = (
    r"(?:immediately |just |shortly |preferably |best )?(?:taken )?"
    r"(?:with or after|after or with|with or without|with/after|with|after|before|without|during)"
    r"(?: or (?:just |immediately |shortly )?(?:after|before|with))?"
)
MEALS = rf"{_WITH}(?: {_SOME})* {_MEAL}(?: (?:or|and|/) (?:a )?{_FOOD})*"
"""With meals: no dose of its own, but where nothing else says how often it may stand for three times a day."""

_AIMS = _any_of(
    "reduce reducing prevent preventing treat treating lower lowering control relieve protect help manage suppress"
)
_LIKE = r"(?: (?:a |an )?(?:full |large )?(?:glass|cup|glassful))?"
_ROUTES = _any_of(
    """
    oral_route mouth oral injection inhalation nebuliser nebulizer spacer infusion iv_infusion slow_iv_infusion ng_tube g-tube
    feeding_tube tube peg gastric_tube nasogastric_tube os rectum subcutaneous_route intramuscular_route intravenous_route
    nebulization nebulisation
    """
)
_PLACES = _any_of(
    """
    skin affected_area affected_areas affected_skin affected_eye right_eye left_eye right_ear left_ear affected_ear scalp face
    abdomen thigh infusion mouth
    """
)
_MINUTES = r"\d+(?:\.5)?(?: ?(?:-|to) ?\d+)? ?(?:minutes?|mins?|hours?|hrs?)"
_SPOIL = r"(?:crush(?:ed)?|chew(?:ed)?|break|cut|split)"
_OTHERS = rf"(?:{_FOOD}|drinking|beverage|(?:taking )?other medications?|medications?|medicines?|supplements?)"

HARMLESS_PHRASES = "|".join(
    (
        rf"{DRUGS} \d+(?:\.\d+)? ?(?:mg|mcg|g|microgram)(?: oral)? (?:tablets?|tabs?|capsules?|caps?)(?: ?[:;-])?",
        rf"(?:(?:for )*for|indications?:?)(?: (?:the|treatment of|relief of|management of|prevention of|control of))? {INDICATION}",
        rf"(?:to|which)(?: help| helps)?(?: with)? ?{_AIMS}(?: {_LINK})* {INDICATION}",
        rf"{_WITH}(?: {_SOME})* {_FOOD}(?: (?:or|and|/) (?:a )?{_FOOD})*",
        rf"(?:with|in){_LIKE}(?: of| full of)? (?:water|juice|milk|liquid)",
        r"(?:in|into) (?:a |some |half a )?(?:little |glass of |cup of )?(?:water|juice|liquid|milk)",
        r"(?:on|with) an empty stomach|on empty stomach",
        rf"(?:at least |about |approximately |- ?)?{_MINUTES}(?= (?:before|after|prior))",
        rf"(?:before|after|prior to) (?:{_FOOD} )?(?:or|and)(?= \d+ (?:min|hour|hr))",
        r"prior to (?:food|eating)",
        rf"before (?:the )?(?:first )?{_FOOD}(?:,? (?:or |and )?(?:the )?(?:first )?{_OTHERS}(?: of the day)?)+",
        rf"over (?:at least |about )?{_MINUTES}",
        r"(?:to be )?swallow(?:ed)? whole",
        rf"(?:do )?not (?:to be )?{_SPOIL}(?:,? (?:or|and) {_SPOIL})*(?: tablets?| it| them)?",
        r"until (?:all |they are |it is |the |all the |medication is |medicine is )*(?:course |pack |tablets? (?:are )?|bottle )?"
        r"(?:is |are )?(?:gone|finished|complete|completed|taken|empty|used|done)(?: up)?",
        r"(?:are |is )?to be (?:taken|given|used|swallowed|inhaled|applied|injected|dissolved|administered)",
        rf"(?:by|via|per|through|using|in)(?: the| a)?(?: small volume)? {_ROUTES}",
        r"(?:under|beneath) (?:the )?(?:tongue|skin)|(?:into|in) (?:the |a )?(?:vein|muscle|skin|rectum|vagina|mouth|nose|lungs?)",
        rf"(?:to|on|onto|in|into) (?:the )?{_PLACES}",
        r"(?:at )?(?:the )?same time(?: of day)?|first thing(?= in)",
        r"with caution|may cause drowsiness|(?:avoid|no) alcohol|shake well(?: before use| before using)?",
        r"(?:short |long )?(?:steroid )?(?:pulse|course) of|course(?= for)",
        r"around the clock|finish (?:all|the course)|complete the course|do all this|take these tablets",
    )
)
HARMLESS = _any_of(
    """
    po p/o os oral orally mouth by_mouth iv im sc subcut subq sq sl pr pv ng intravenous intravenously intramuscular
    intramuscularly subcutaneous subcutaneously sublingual sublingually rectal rectally vaginal vaginally topical topically
    infusion injection inhalation slowly slow ivpb ivp iv_push push bolus please patient pt a an the of your this these it
    them medication medicine only whole regularly regular long_term long-term sig directions instructions dosage dosing dose
    doses oral_route course pulse
    """
)
HARMLESS = rf"(?:{HARMLESS}|{DRUGS}|{ADJECTIVES})"
