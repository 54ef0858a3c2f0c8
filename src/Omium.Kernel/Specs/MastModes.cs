namespace Omium.Kernel.Specs;

/// <summary>One failure mode of MAST.</summary>
/// <param name="Id">Number in the paper: FM-1.1 to FM-3.3.</param>
/// <param name="Name">Name in the paper.</param>
/// <param name="Group">Its category, by the name of the group here.</param>
/// <param name="Class">The class of failure that stands for it here.</param>
public sealed record MastMode(string Id, string Name, string Group, string Class);

/// <summary>
/// The Multi-Agent System Failure Taxonomy: fourteen modes in three categories (Cemri et al., "Why Do Multi-Agent LLM Systems Fail?",
/// arXiv 2503.13657; FC1 is "specification issues" in its second version and "system design issues" in its third). Numbers and names are the paper's.
/// </summary>
public static class MastModes
{
    /// <summary>Every mode, in the paper's order.</summary>
    public static readonly IReadOnlyList<MastMode> All =
    [
        new("FM-1.1", "Disobey task specification", FailureClasses.SpecificationGroup, FailureClasses.DisobeyTaskSpecification),
        new("FM-1.2", "Disobey role specification", FailureClasses.SpecificationGroup, FailureClasses.DisobeyRoleSpecification),
        new("FM-1.3", "Step repetition", FailureClasses.SpecificationGroup, FailureClasses.StepRepetition),
        new("FM-1.4", "Loss of conversation history", FailureClasses.SpecificationGroup, FailureClasses.LostHistory),
        new("FM-1.5", "Unaware of termination conditions", FailureClasses.SpecificationGroup, FailureClasses.NoTermination),
        new("FM-2.1", "Conversation reset", FailureClasses.MisalignmentGroup, FailureClasses.ConversationReset),
        new("FM-2.2", "Fail to ask for clarification", FailureClasses.MisalignmentGroup, FailureClasses.FailToAsk),
        new("FM-2.3", "Task derailment", FailureClasses.MisalignmentGroup, FailureClasses.TaskDerailment),
        new("FM-2.4", "Information withholding", FailureClasses.MisalignmentGroup, FailureClasses.InformationWithholding),
        new("FM-2.5", "Ignored other agent's input", FailureClasses.MisalignmentGroup, FailureClasses.IgnoredInput),
        new("FM-2.6", "Reasoning-action mismatch", FailureClasses.MisalignmentGroup, FailureClasses.ReasoningActionMismatch),
        new("FM-3.1", "Premature termination", FailureClasses.VerificationGroup, FailureClasses.PrematureTermination),
        new("FM-3.2", "No or incomplete verification", FailureClasses.VerificationGroup, FailureClasses.MissingVerification),
        new("FM-3.3", "Incorrect verification", FailureClasses.VerificationGroup, FailureClasses.IncorrectVerification),
    ];

    /// <summary>The mode that a class stands for; null for classes that MAST does not have.</summary>
    public static MastMode? OfClass(string failureClass) => All.FirstOrDefault(mode => mode.Class == failureClass);
}
