using System.Text.Json;
using Omium.Contracts.Workflows;
using Omium.Kernel.Specs;
using Omium.Kernel.Specs.Suggestions;

namespace Omium.Api.Workflows;

/// <summary>Saved workflows as answered.</summary>
internal static class WorkflowViews
{
    public static WorkflowView View(StoredWorkflow saved, JsonElement spec) => new(
        saved.Name, saved.Version, saved.Description, saved.Digest, DateTimeOffset.FromUnixTimeMilliseconds(saved.SavedMs), spec, saved.Warnings);

    public static WorkflowSummary Summary(StoredWorkflow saved) =>
        new(saved.Name, saved.Version, saved.Description, saved.Steps, saved.Agents, DateTimeOffset.FromUnixTimeMilliseconds(saved.SavedMs));

    public static SpecSuggestionView Suggestion(SpecSuggestion suggestion) => new(
        suggestion.Id, suggestion.Kind, suggestion.Pointer, suggestion.Title, suggestion.Reason,
        [.. suggestion.Patch.Select(operation => new PatchOperation(operation.Op, operation.Path, operation.Value))]);

    public static SpecProblem Problem(SpecFinding finding) =>
        new(finding.Code, finding.Severity == SpecSeverity.Error ? "error" : "warning", finding.Pointer, finding.Message, finding.Mend);
}
