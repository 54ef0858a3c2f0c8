using System.Text.Json;

namespace Omium.Contracts.Workflows;

/// <summary>Body of <c>POST /v1/workflows</c> and <c>/validate</c> (or the spec itself as <c>text/yaml</c>).</summary>
public sealed record SaveWorkflowRequest(JsonElement Spec);

/// <summary>Body of <c>POST /v1/workflows/import</c>.</summary>
/// <param name="SourceFramework">What it was exported from.</param>
/// <param name="Spec">The exported workflow: a spec; <c>omium</c> and <c>source_framework</c> are set where they are missing or differ.</param>
/// <param name="Name">Name to save it under; default: the spec's own.</param>
/// <param name="Trial">True: nothing is saved, and errors are answered as findings.</param>
public sealed record ImportWorkflowRequest(
    [property: Words("crewai", "langgraph", "autogen", "sematic", "openai-agents", "custom")] string SourceFramework, JsonElement Spec, string? Name = null, bool? Trial = null);

/// <summary>What became of an import.</summary>
/// <param name="Valid">Whether it has no errors.</param>
/// <param name="Problems">Every finding of the static checks.</param>
/// <param name="Suggestions">What would make it safer: checkpoints, guards, locks, recovery rules, each with its reason and the patch that accepts it.</param>
/// <param name="Workflow">The saved version; absent for a trial.</param>
public sealed record ImportView(bool Valid, IReadOnlyList<SpecProblem> Problems, IReadOnlyList<SpecSuggestionView> Suggestions, WorkflowView? Workflow);

/// <summary>A saved version.</summary>
public sealed record WorkflowView(
    string Name, int Version, string? Description, string Digest, DateTimeOffset SavedAt, JsonElement Spec, IReadOnlyList<SpecProblem> Warnings);

/// <summary>One row of <c>GET /v1/workflows</c>.</summary>
public sealed record WorkflowSummary(string Name, int Version, string? Description, int Steps, int Agents, DateTimeOffset SavedAt);

/// <summary>Answer of <c>/validate</c>.</summary>
public sealed record ValidateView(bool Valid, IReadOnlyList<SpecProblem> Problems);

/// <summary>One finding of the static checks.</summary>
/// <param name="Code">Stable code; each has a page under docs/errors.</param>
/// <param name="Severity">error or warning.</param>
/// <param name="Pointer">JSON pointer (RFC 6901) into the spec.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Mend">How to mend it.</param>
public sealed record SpecProblem(string Code, [property: Words("error", "warning")] string Severity, string Pointer, string Message, string Mend);

/// <summary>Answer of <c>/suggest</c>.</summary>
/// <param name="Valid">Whether the spec has no errors; with <c>?accept=</c>, the spec that is answered.</param>
/// <param name="Suggestions">What would make it safer; any of them may be accepted, in any order.</param>
/// <param name="Spec">With <c>?accept=</c>: the spec with the patches of those suggestions applied.</param>
public sealed record SuggestView(bool Valid, IReadOnlyList<SpecSuggestionView> Suggestions, JsonElement? Spec = null);

/// <summary>One suggestion.</summary>
/// <param name="Id">Stable for the same spec.</param>
/// <param name="Kind">checkpoint, guard, lock, handoff, recovery or approval.</param>
/// <param name="Pointer">JSON pointer (RFC 6901) to what it is about.</param>
/// <param name="Title">One line.</param>
/// <param name="Reason">Why.</param>
/// <param name="Patch">JSON Patch (RFC 6902) that accepts it.</param>
public sealed record SpecSuggestionView(string Id, string Kind, string Pointer, string Title, string Reason, IReadOnlyList<PatchOperation> Patch);

/// <summary>One operation of a JSON Patch: add, replace, remove or test.</summary>
public sealed record PatchOperation(string Op, string Path, JsonElement? Value = null);
