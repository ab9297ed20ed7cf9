"""The classes of USDM 4.0 that our documents use: attributes with their types and how often they stand.

A line a class. ``name`` is a text, ``?`` after an attribute says that it may be absent, ``*`` that it is a list which
may be empty, ``+`` one which may not; after ``:`` stands another type than text: a class, ``bool``, ``number`` or
``duration`` (ISO 8601), or ``>Class``, the id of an object of that class. Source: CDISC's UML of USDM 4.0
(`Deliverables/UML` of cdisc-org/DDF-RA), read by its facts.
"""

from __future__ import annotations

from dataclasses import dataclass

_LABELLED = "name label? description?"
_LINES = {
    "Study": "name label? description? versions+:StudyVersion documentedBy*:StudyDefinitionDocument",
    "StudyVersion": "versionIdentifier rationale documentVersionIds* dateValues*:GovernanceDate"
    " amendments*:StudyAmendment businessTherapeuticAreas*:Code studyIdentifiers+:StudyIdentifier"
    " referenceIdentifiers*:ReferenceIdentifier"
    " studyDesigns+:InterventionalStudyDesign titles+:StudyTitle eligibilityCriterionItems*:EligibilityCriterionItem"
    " narrativeContentItems*:NarrativeContentItem abbreviations*:Abbreviation roles*:StudyRole"
    " organizations*:Organization studyInterventions*:StudyIntervention administrableProducts*:AdministrableProduct"
    " medicalDevices*:MedicalDevice productOrganizationRoles*:ProductOrganizationRole"
    " biomedicalConcepts*:BiomedicalConcept bcCategories*:BiomedicalConceptCategory"
    " bcSurrogates*:BiomedicalConceptSurrogate dictionaries*:SyntaxTemplateDictionary conditions*:Condition",
    "StudyTitle": "text type:Code",
    "StudyIdentifier": "text scopeId:>Organization",
    "Organization": "name label? type:Code identifierScheme identifier legalAddress?:Address managedSites*:StudySite",
    "StudyRole": f"{_LABELLED} code:Code appliesToIds+:>StudyVersion|InterventionalStudyDesign"
    " assignedPersons*:AssignedPerson organizationIds*:>Organization masking?:Masking",
    "Masking": "text isMasked:bool",
    "Code": "code codeSystem codeSystemVersion decode",
    "AliasCode": "standardCode:Code standardCodeAliases*:Code",
    "Quantity": "value:number unit?:AliasCode",
    "Range": "minValue:Quantity maxValue:Quantity isApproximate:bool",
    "Duration": "text? quantity?:Quantity|Range durationWillVary:bool reasonDurationWillVary?",
    "InterventionalStudyDesign": f"{_LABELLED} studyType?:Code studyPhase?:AliasCode therapeuticAreas*:Code"
    " characteristics*:Code encounters*:Encounter activities*:Activity arms+:StudyArm studyCells+:StudyCell rationale"
    " epochs+:StudyEpoch elements*:StudyElement estimands*:Estimand indications*:Indication"
    " studyInterventionIds*:>StudyIntervention objectives*:Objective population:StudyDesignPopulation"
    " scheduleTimelines*:ScheduleTimeline biospecimenRetentions*:BiospecimenRetention documentVersionIds*"
    " eligibilityCriteria*:EligibilityCriterion analysisPopulations*:AnalysisPopulation subTypes*:Code model:Code"
    " intentTypes*:Code blindingSchema?:AliasCode",
    "StudyArm": f"{_LABELLED} type:Code dataOriginDescription dataOriginType:Code"
    " populationIds*:>StudyDesignPopulation",
    "StudyEpoch": f"{_LABELLED} type:Code previousId?:>StudyEpoch nextId?:>StudyEpoch",
    "StudyElement": f"{_LABELLED} transitionStartRule?:TransitionRule transitionEndRule?:TransitionRule"
    " studyInterventionIds*:>StudyIntervention",
    "StudyCell": "armId:>StudyArm epochId:>StudyEpoch elementIds+:>StudyElement",
    "TransitionRule": f"{_LABELLED} text",
    "Encounter": f"{_LABELLED} type:Code previousId?:>Encounter nextId?:>Encounter scheduledAtId?:>Timing"
    " environmentalSettings*:Code contactModes*:Code transitionStartRule?:TransitionRule"
    " transitionEndRule?:TransitionRule",
    "Activity": f"{_LABELLED} previousId?:>Activity nextId?:>Activity childIds*:>Activity definedProcedures*:Procedure"
    " biomedicalConceptIds*:>BiomedicalConcept bcCategoryIds*:>BiomedicalConceptCategory"
    " bcSurrogateIds*:>BiomedicalConceptSurrogate timelineId?:>ScheduleTimeline",
    "BiomedicalConceptSurrogate": f"{_LABELLED} reference?",
    "ScheduleTimeline": f"{_LABELLED} mainTimeline:bool entryCondition entryId:>ScheduledActivityInstance"
    " exits*:ScheduleTimelineExit timings*:Timing instances*:ScheduledActivityInstance plannedDuration?:Duration",
    "ScheduleTimelineExit": "",
    "ScheduledActivityInstance": f"{_LABELLED} defaultConditionId?:>ScheduledActivityInstance epochId?:>StudyEpoch"
    " timelineId?:>ScheduleTimeline timelineExitId?:>ScheduleTimelineExit activityIds*:>Activity"
    " encounterId?:>Encounter",
    "Timing": f"{_LABELLED} type:Code value:duration valueLabel relativeToFrom:Code"
    " relativeFromScheduledInstanceId:>ScheduledActivityInstance"
    " relativeToScheduledInstanceId?:>ScheduledActivityInstance windowLower?:duration windowUpper?:duration"
    " windowLabel?",
    "StudyDesignPopulation": f"{_LABELLED} includesHealthySubjects:bool plannedEnrollmentNumber?:Quantity|Range"
    " plannedCompletionNumber?:Quantity|Range plannedSex*:Code criterionIds*:>EligibilityCriterion plannedAge?:Range"
    " cohorts*:StudyCohort",
    "EligibilityCriterion": f"{_LABELLED} category:Code identifier criterionItemId:>EligibilityCriterionItem"
    " nextId?:>EligibilityCriterion previousId?:>EligibilityCriterion",
    "EligibilityCriterionItem": f"{_LABELLED} text dictionaryId?:>SyntaxTemplateDictionary",
    "Objective": f"{_LABELLED} text dictionaryId?:>SyntaxTemplateDictionary level:Code endpoints*:Endpoint",
    "Endpoint": f"{_LABELLED} text dictionaryId?:>SyntaxTemplateDictionary purpose level:Code",
    "Estimand": f"{_LABELLED} populationSummary analysisPopulationId:>AnalysisPopulation"
    " interventionIds+:>StudyIntervention variableOfInterestId:>Endpoint intercurrentEvents*:IntercurrentEvent",
    "IntercurrentEvent": f"{_LABELLED} text dictionaryId?:>SyntaxTemplateDictionary strategy",
    "AnalysisPopulation": f"{_LABELLED} text subsetOfIds*:>AnalysisPopulation",
    "StudyIntervention": f"{_LABELLED} role:Code type:Code minimumResponseDuration?:Quantity codes*:Code"
    " administrations*:Administration",
    "Administration": f"{_LABELLED} duration:Duration dose?:Quantity route?:AliasCode frequency?:AliasCode"
    " administrableProductId?:>AdministrableProduct medicalDeviceId?:>MedicalDevice",
}
COMMON = frozenset({"id", "instanceType", "extensionAttributes", "notes"})
CHAINED = ("StudyEpoch", "Encounter", "Activity", "EligibilityCriterion")
"""Classes whose objects follow one another by previousId and nextId."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute: whether it must stand there, whether it is a list, and the types that it may have.

    reference: whether it holds ids of objects of these classes.
    """

    name: str
    required: bool
    many: bool
    types: tuple[str, ...]
    reference: bool


def _attribute(text: str) -> Attribute:
    head, _, kind = text.partition(":")
    mark = head[-1] if head[-1] in "?*+" else ""
    types = tuple(kind.lstrip(">").split("|")) if kind else ("text",)
    return Attribute(head.rstrip("?*+"), mark in ("", "+"), mark in ("*", "+"), types, kind.startswith(">"))


CLASSES = {name: tuple(map(_attribute, line.split())) for name, line in _LINES.items()}
