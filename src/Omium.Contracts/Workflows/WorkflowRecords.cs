using System.Text.Json;

namespace Omium.Contracts.Workflows;

/// <summary>Body of <c>POST /v1/workflows</c> and <c>/validate</c> (or the spec itself as <c>text/yaml</c>).</summary>
public sealed record SaveWorkflowRequest(JsonElement Spec);

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
public sealed record SpecProblem(string Code, string Severity, string Pointer, string Message, string Mend);
