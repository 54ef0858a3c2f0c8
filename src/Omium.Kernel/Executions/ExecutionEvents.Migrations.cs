using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

// Moving a run to another version of its workflow.
[JsonDerivedType(typeof(ExecutionMigrated), "execution.migrated")]
public abstract partial record ExecutionEvent;

/// <summary>The run goes on with another version. A person has seen what differs.</summary>
/// <param name="FromVersion">Version before.</param>
/// <param name="Version">Version from now on.</param>
/// <param name="SpecDigest">Digest of its spec.</param>
/// <param name="By">Who moved it.</param>
/// <param name="RequestId">The request it answers.</param>
/// <param name="Difference">Digest of the difference as it was shown.</param>
/// <param name="Kept">Settled visits of changed or removed steps that stand as they are, because the person said so or did not say otherwise.</param>
/// <param name="Again">Steps that run again, because the person said so or because they were at work when their step changed.</param>
/// <param name="EdgeMap">New index of each old edge, -1 for one that is gone; absent when every edge keeps its index.</param>
/// <param name="Taken">Edges that are new and that settled visits take.</param>
/// <param name="KeepsRules">True: the rules of the recovery policy are the same, and how often each was used still counts.</param>
public sealed record ExecutionMigrated(
    int FromVersion, int Version, string SpecDigest, string By, string? RequestId, string Difference, IReadOnlyList<VisitKey>? Kept, IReadOnlyList<string>? Again,
    IReadOnlyList<int>? EdgeMap, IReadOnlyList<TakenEdge>? Taken, bool KeepsRules) : ExecutionEvent;

/// <summary>A new edge that a settled visit takes.</summary>
public sealed record TakenEdge(VisitKey Visit, int Edge);
