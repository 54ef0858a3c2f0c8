using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Contracts.Workflows;

namespace Omium.Api.Policies;

/// <summary>A version of the tenant's policy as stored: kind <c>policy_version</c> by <c>{version:D8}</c>, and the newest once more as kind <c>policy</c>, id <c>head</c>.</summary>
/// <param name="Version">Version, from 1.</param>
/// <param name="Policy">The policy as put, canonical; null = the built-in one.</param>
/// <param name="Digest">Its digest, or "".</param>
/// <param name="AtMs">When, Unix ms.</param>
/// <param name="By">Who.</param>
/// <param name="Warnings">What the checks said beside errors.</param>
internal sealed record StoredPolicy(int Version, JsonElement? Policy, string Digest, long AtMs, string By, IReadOnlyList<SpecProblem> Warnings)
{
    /// <summary>Before any was put.</summary>
    public static readonly StoredPolicy None = new(0, null, "", 0, "", []);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredPolicy))]
internal sealed partial class PolicyJson : JsonSerializerContext;
