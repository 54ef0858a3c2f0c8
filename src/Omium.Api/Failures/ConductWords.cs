using Omium.Kernel.Executions;
using Omium.Kernel.Specs;

namespace Omium.Api.Failures;

/// <summary>What an agent must be told so that it does not fail so again: for guards in their short forms, and for what the kernel bounds by itself.</summary>
internal static class ConductWords
{
    /// <summary>The instruction for a failure on a call or by a bound; null when its checks on the answer say more.</summary>
    public static string? Rule(StepFailed failure, StepPlan step, AgentSpec agent) => failure.Code switch
    {
        "same_call_again" or "same_effect_again" => "Never ask for the same call twice: its result stands in the conversation. Go on from there.",
        "same_visit_again" => "If you are asked again after a rejection, your answer must differ in what was rejected.",
        "turns_exhausted" => "Ask only for what you need and answer as soon as you have it.",
        "tool_of_another_role" => agent.Tools.Count == 0 ? "You have no tools: answer from your input." : $"Use no tools but these: {string.Join(", ", agent.Tools)}.",
        _ => failure.Expected is { } check && step.Calls.Any(guard => guard.Spec.Check == check) ? OfGuard(step, check, failure.Message) ?? $"Before you ask for a call: {Words(failure.Message)}" : null,
    };

    /// <summary>The instruction of a guard in a short form; null for a plain check.</summary>
    public static string? OfGuard(StepPlan step, string check, string message) => step.Post.Concat(step.Calls).FirstOrDefault(guard => guard.Spec.Check == check)?.Spec switch
    {
        { Form: GuardForms.Grounded } => $"State no number and no name that stands neither in your input nor in a result of your tools{Those(message)}.",
        { Form: GuardForms.Uses } => $"Leave out nothing that was found: your answer must say it as it was given{Those(message)}.",
        { Form: GuardForms.Called, Tools: var tools } => $"Before you answer, call {string.Join(" and ", tools)}.",
        { Form: GuardForms.Asks } => "When something that you need is missing, ask for it; do not go on without it.",
        { Form: GuardForms.Plan } => "Do exactly what your plan says, with the arguments that it names, and all of it; when you change your mind, declare a new plan first.",
        _ => null,
    };

    /// <summary>What the message lists at its end, in brackets.</summary>
    private static string Those(string message)
    {
        var open = message.EndsWith(')') ? message.LastIndexOf(" (", StringComparison.Ordinal) : -1;
        return open < 0 ? "" : $"; it was wrong about: {message[(open + 2)..^1]}";
    }

    private static string Words(string message) => message.EndsWith('.') ? message : message + ".";
}
