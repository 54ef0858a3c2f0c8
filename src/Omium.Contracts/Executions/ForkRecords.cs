using System.Text.Json;

namespace Omium.Contracts.Executions;

/// <summary>Body of <c>POST /v1/executions/{id}/fork</c>.</summary>
/// <param name="At">How many records of the source the fork begins with; the last one when absent.</param>
/// <param name="Edits">What is changed; only what depends on it, or lies after the point, runs again.</param>
/// <param name="Mode">sandbox (default): external effects are answered from the source's records, else a person is asked. live: they happen.</param>
/// <param name="Acknowledge">With live: the digest of the list of effects that would happen again. Without it the answer is 409 with that list.</param>
/// <param name="Preview">True: only show what would run again.</param>
public sealed record ForkRequest(long? At = null, ForkEditsRequest? Edits = null, string? Mode = null, string? Acknowledge = null, bool? Preview = null);

/// <summary>What a fork changes; absent parts stay as they were.</summary>
/// <param name="Input">The workflow's input.</param>
/// <param name="Agents">Agents by name.</param>
/// <param name="Steps">Steps by id.</param>
public sealed record ForkEditsRequest(
    JsonElement? Input = null, IReadOnlyDictionary<string, Reviews.AgentEdits>? Agents = null, IReadOnlyDictionary<string, StepChangeRequest>? Steps = null);

/// <summary>A step's input or output as it is to be; with neither, the step runs again as it is.</summary>
public sealed record StepChangeRequest(JsonElement? Input = null, JsonElement? Output = null);

/// <summary>What a fork would run again.</summary>
/// <param name="From">The execution whose records it begins with.</param>
/// <param name="At">How many of them.</param>
/// <param name="RunsAgain">Visits before that point that run again, in their order; everything after it runs anyway.</param>
/// <param name="Repeats">External calls that have or may have happened and that a live fork would make again, under keys of its own.</param>
/// <param name="Writes">Shared values that have been written and that a live fork would write again.</param>
/// <param name="Digest">Digest of the list: a live fork carries it as <c>acknowledge</c>.</param>
public sealed record ForkPreviewView(string From, long At, IReadOnlyList<StepReference> RunsAgain, IReadOnlyList<RepeatedCallView> Repeats, IReadOnlyList<RewrittenValueView> Writes, string Digest);

/// <summary>An external call that a live fork would make again.</summary>
public sealed record RepeatedCallView(string EffectId, string Step, int Visit, string Tool, string EffectKind, string Status, JsonElement? Arguments);

/// <summary>A shared value that a live fork would write again.</summary>
public sealed record RewrittenValueView(string Step, int Visit, string Key);

/// <summary>Where an execution was forked from.</summary>
/// <param name="From">Source.</param>
/// <param name="At">How many records of the source it begins with; its own records are numbered from the next one.</param>
/// <param name="Mode">sandbox or live.</param>
public sealed record ForkView(string From, long At, string Mode);
