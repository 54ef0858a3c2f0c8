using System.Text.Json.Serialization;

namespace Omium.Contracts;

/// <summary>One page of a listing.</summary>
/// <param name="Items">What was asked for, in the listing's order.</param>
/// <param name="NextCursor">What to send as <c>cursor</c> for the next page; absent on the last one.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor);

/// <summary>RFC 9457 problem details as Omium answers every error.</summary>
public sealed record Problem
{
    /// <summary>Link to the error's page.</summary>
    [JsonPropertyName("type")]
    public required string Type { get; init; }

    /// <summary>Short title.</summary>
    [JsonPropertyName("title")]
    public required string Title { get; init; }

    /// <summary>HTTP status.</summary>
    [JsonPropertyName("status")]
    public required int Status { get; init; }

    /// <summary>Stable code.</summary>
    [JsonPropertyName("code")]
    public required string Code { get; init; }

    /// <summary>What happened and how to mend it.</summary>
    [JsonPropertyName("detail")]
    public string? Detail { get; init; }

    /// <summary>Every single error, with JSON pointers.</summary>
    [JsonPropertyName("errors")]
    public IReadOnlyList<Workflows.SpecProblem>? Errors { get; init; }

    /// <summary>When something is to be confirmed: the digest of what is shown; send it again with this.</summary>
    [JsonPropertyName("digest")]
    public string? Digest { get; init; }

    /// <summary>When something is to be confirmed: what it is.</summary>
    [JsonPropertyName("shown")]
    public System.Text.Json.JsonElement? Shown { get; init; }
}
