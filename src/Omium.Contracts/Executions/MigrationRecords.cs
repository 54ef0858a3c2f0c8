namespace Omium.Contracts.Executions;

/// <summary>Body of <c>POST /v1/executions/{id}/migrate</c>.</summary>
/// <param name="Version">Saved version of the execution's workflow to move to.</param>
/// <param name="Preview">True: only show the difference.</param>
/// <param name="Acknowledge">Digest of the difference as shown; without it the answer is 409 with the difference.</param>
/// <param name="Again">Steps that are to run again; whatever else has settled is kept as it is.</param>
public sealed record MigrateRequest(int Version, bool? Preview = null, string? Acknowledge = null, IReadOnlyList<string>? Again = null);

/// <summary>What moving a run to another version changes.</summary>
/// <param name="FromVersion">Version now.</param>
/// <param name="ToVersion">Version to move to.</param>
/// <param name="Added">Steps that are new; those behind settled steps run when the execution goes on.</param>
/// <param name="Removed">Steps that are gone.</param>
/// <param name="Changed">Steps that do something else: themselves, their agent or a tool of theirs.</param>
/// <param name="EdgesAdded">Edges that are new, <c>from -> to</c>.</param>
/// <param name="EdgesRemoved">Edges that are gone.</param>
/// <param name="PolicyChanged">True when the recovery policy is another.</param>
/// <param name="Affected">Settled visits that a change concerns: kept unless their steps are named in <c>again</c>.</param>
/// <param name="Restarted">Visits at work on a step that changed: they run again in any case.</param>
/// <param name="Obstacles">Why it cannot be done; empty when it can.</param>
/// <param name="Digest">Digest of all of it: what <c>acknowledge</c> carries.</param>
public sealed record MigrationView(
    int FromVersion, int ToVersion, IReadOnlyList<string> Added, IReadOnlyList<string> Removed, IReadOnlyList<string> Changed, IReadOnlyList<string> EdgesAdded,
    IReadOnlyList<string> EdgesRemoved, bool PolicyChanged, IReadOnlyList<StepReference> Affected, IReadOnlyList<StepReference> Restarted, IReadOnlyList<string> Obstacles, string Digest);
