using System.Text.Json;
using Omium.Contracts.Workflows;

namespace Omium.Contracts.Policies;

/// <summary>Body of <c>PUT /v1/policies</c> (or the policy itself as <c>text/yaml</c>).</summary>
/// <param name="Policy">A recovery policy in either form; null = back to the built-in one.</param>
public sealed record PutPolicyRequest(JsonElement? Policy);

/// <summary>The tenant's recovery policy: it serves every workflow that names none, in executions started while it was the newest.</summary>
/// <param name="Version">Version, from 1; 0 when none was ever put.</param>
/// <param name="Policy">The policy as it was put; absent = the built-in one.</param>
/// <param name="Digest">Digest of the policy.</param>
/// <param name="At">When it was put.</param>
/// <param name="By">Who put it.</param>
/// <param name="Warnings">What the checks said beside errors.</param>
public sealed record PolicyView(int Version, JsonElement? Policy, string? Digest, DateTimeOffset? At, string? By, IReadOnlyList<SpecProblem> Warnings);

/// <summary>Body of <c>POST /v1/policies/dry-run</c>.</summary>
/// <param name="Policy">The policy on trial: an object, or its text in YAML.</param>
/// <param name="Workflow">Only failures of this workflow.</param>
/// <param name="From">Only failures at or after this time.</param>
/// <param name="To">Only failures before this time.</param>
/// <param name="Limit">Failures looked at, 1 to 200; default 100.</param>
/// <param name="Cursor">The <c>next_cursor</c> of the answer before.</param>
public sealed record DryRunRequest(
    JsonElement Policy, string? Workflow = null, DateTimeOffset? From = null, DateTimeOffset? To = null, int? Limit = null, string? Cursor = null);

/// <summary>What a policy would have done about past failures. Nothing is changed, called or asked.</summary>
/// <param name="Caught">Failures that a trigger or a rule would have acted on otherwise than by failing.</param>
/// <param name="Examined">Failures looked at, those of this answer only.</param>
/// <param name="Items">Each of them, the newest first.</param>
/// <param name="NextCursor">Where the next answer goes on; absent when all were looked at.</param>
public sealed record DryRunView(int Caught, int Examined, IReadOnlyList<DryRunItem> Items, string? NextCursor);

/// <summary>One past failure under the policy on trial.</summary>
/// <param name="FailureId">Failure.</param>
/// <param name="Execution">Execution.</param>
/// <param name="Workflow">Workflow.</param>
/// <param name="Step">Step.</param>
/// <param name="Class">Class.</param>
/// <param name="Code">Code.</param>
/// <param name="At">When.</param>
/// <param name="Caught">Whether the policy would have caught it.</param>
/// <param name="By">trigger, rule, retry (another attempt, if the failure was not permanent) or none (failure edges, else the end).</param>
/// <param name="Rule">Number of the rule, from 1.</param>
/// <param name="Would">Actions in order, for example <c>rollback_to: last</c>.</param>
/// <param name="Was">What was done by itself in fact, in the words of the timeline.</param>
/// <param name="Decided">What a person decided in fact.</param>
/// <param name="Outcome">Status of the execution now.</param>
public sealed record DryRunItem(
    string FailureId, string Execution, string Workflow, string Step, string Class, string Code, DateTimeOffset At, bool Caught, string By, int? Rule,
    IReadOnlyList<string> Would, IReadOnlyList<string> Was, string? Decided, string Outcome);
