using System.Text.Json.Serialization;
using Omium.Contracts.Workflows;

namespace Omium.Api.Workflows;

/// <summary>
/// A saved version as stored: kind <c>workflow_version</c> by <c>{name}~{version:D8}</c>, and the newest once more as the head, kind
/// <c>workflow</c> by name. The spec itself is kind <c>spec</c> by digest.
/// </summary>
/// <param name="Name">Name.</param>
/// <param name="Version">Version.</param>
/// <param name="Digest">Digest of the saved spec, which holds its version.</param>
/// <param name="SourceDigest">Digest of the spec without its version: the same one saved again is the same version.</param>
/// <param name="SavedMs">When, Unix ms.</param>
/// <param name="Description">Description.</param>
/// <param name="Steps">Number of steps.</param>
/// <param name="Agents">Number of agents.</param>
/// <param name="Warnings">What the checks said beside errors.</param>
internal sealed record StoredWorkflow(
    string Name, int Version, string Digest, string SourceDigest, long SavedMs, string? Description, int Steps, int Agents, IReadOnlyList<SpecProblem> Warnings);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredWorkflow))]
internal sealed partial class WorkflowJson : JsonSerializerContext;
