namespace Omium.Kernel.Specs;

/// <summary>Every code of a <see cref="SpecFinding"/>. Codes are stable and each has a page docs/errors/{code}.md.</summary>
public static class SpecCodes
{
#pragma warning disable CS1591 // The names are the documentation; each has its page under docs/errors.
    // The shape of the document.
    public const string WrongType = "wrong_type";
    public const string RequiredMissing = "required_missing";
    public const string UnknownProperty = "unknown_property";
    public const string PropertyNotApplicable = "property_not_applicable";
    public const string InvalidValue = "invalid_value";
    public const string InvalidDuration = "invalid_duration";
    public const string UnsupportedVersion = "unsupported_version";
    public const string OutOfBounds = "out_of_bounds";
    public const string TooLarge = "workflow_too_large";
    public const string TooManyFindings = "too_many_findings";

    // The recovery policy.
    public const string UnknownTrigger = "unknown_trigger";
    public const string UnknownAction = "unknown_action";
    public const string UnknownEdit = "unknown_edit";
    public const string ContradictoryEdits = "contradictory_edits";
    public const string MixedPolicyForms = "mixed_policy_forms";
    public const string UnmatchedCode = "unmatched_code";
    public const string NeverApplied = "never_applied";

    // Names and references.
    public const string InvalidName = "invalid_name";
    public const string InvalidId = "invalid_id";
    public const string ReservedWord = "reserved_word";
    public const string DuplicateId = "duplicate_id";
    public const string UnknownReference = "unknown_reference";

    // The graph.
    public const string NoSteps = "no_steps";
    public const string NoStartStep = "no_start_step";
    public const string UnreachableStep = "unreachable_step";
    public const string UnboundedCycle = "unbounded_cycle";
    public const string SelfEdge = "self_edge";
    public const string DuplicateEdge = "duplicate_edge";
    public const string DecisionWithoutCondition = "decision_without_condition";

    // Expressions, templates and schemas.
    public const string ExpressionSyntax = "expression_syntax";
    public const string ExpressionType = "expression_type";
    public const string UnknownRoot = "unknown_root";
    public const string TemplateSyntax = "template_syntax";
    public const string StepNotBefore = "step_not_before";
    public const string SecretMisplaced = "secret_misplaced";
    public const string SchemaInvalid = "schema_invalid";
    public const string InputMismatch = "input_mismatch";
    public const string InvalidGuardCode = "invalid_guard_code";
    public const string EmptyPrompt = "empty_prompt";

    // What executions share.
    public const string InvalidScope = "invalid_scope";
    public const string InvalidStateKey = "invalid_state_key";
    public const string SharedMisplaced = "shared_misplaced";

    // Effects.
    public const string EffectWithoutRollback = "effect_without_rollback";
    public const string IrreversibleWithoutApproval = "irreversible_without_approval";
    public const string CompensationNotRepeatable = "compensation_not_repeatable";
    public const string VerifyMissing = "verify_missing";
    public const string VerifyHasEffect = "verify_has_effect";
    public const string PostGuardTooLate = "post_guard_too_late";

    // Agreement.
    public const string ClaimToolHasEffect = "claim_tool_has_effect";
    public const string ClaimNotMeasured = "claim_not_measured";
    public const string HandoffAmbiguous = "handoff_ambiguous";
#pragma warning restore CS1591

    /// <summary>Every code.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        WrongType, RequiredMissing, UnknownProperty, PropertyNotApplicable, InvalidValue, InvalidDuration, UnsupportedVersion,
        OutOfBounds, TooLarge, TooManyFindings, UnknownTrigger, UnknownAction, UnknownEdit, ContradictoryEdits,
        MixedPolicyForms, UnmatchedCode, NeverApplied, InvalidName, InvalidId, ReservedWord, DuplicateId, UnknownReference, NoSteps, NoStartStep,
        UnreachableStep, UnboundedCycle, SelfEdge, DuplicateEdge, DecisionWithoutCondition, ExpressionSyntax, ExpressionType, UnknownRoot,
        TemplateSyntax, StepNotBefore, SecretMisplaced, SchemaInvalid, InputMismatch, InvalidGuardCode, EmptyPrompt,
        InvalidScope, InvalidStateKey, SharedMisplaced,
        EffectWithoutRollback, IrreversibleWithoutApproval, CompensationNotRepeatable, VerifyMissing, VerifyHasEffect, PostGuardTooLate,
        ClaimToolHasEffect, ClaimNotMeasured, HandoffAmbiguous,
    ];
}
