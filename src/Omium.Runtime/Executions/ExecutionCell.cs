using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Executions;

/// <summary>What a host keeps of one execution: the fold up to a record, and what is needed to append the next. Guarded by its gate.</summary>
public sealed class ExecutionCell(StreamId stream) : StreamCell(stream)
{
    /// <summary>The fold up to <see cref="StreamCell.Seq"/>. Safe to read without the gate (it is immutable).</summary>
    public ExecutionState State { get; internal set; } = ExecutionState.Empty;

    /// <summary>Failures that it has not got over, after <see cref="StreamCell.Seq"/>.</summary>
    internal FailureLedger Failures { get; set; } = FailureLedger.Empty;

    /// <summary>Plan of the pinned spec; null before the first record.</summary>
    public WorkflowPlan? Plan { get; internal set; }

    /// <summary>Outstanding work at <see cref="StreamCell.Seq"/>.</summary>
    public IReadOnlyList<PendingEffect> Pending { get; internal set; } = [];

    /// <summary>Most keys that <see cref="StoredKeys"/> holds before it starts anew.</summary>
    internal const int StoredKeysMax = 10_000;

    /// <summary>Payload keys that are known to be stored; only under the gate. Only a cache: what it has forgotten is brought again.</summary>
    internal HashSet<string> StoredKeys { get; } = new(StringComparer.Ordinal);

    internal IndexRow? ExecutionRow { get; set; }

    /// <inheritdoc/>
    internal override void Reset()
    {
        base.Reset();
        (State, Failures, Plan, Pending, ExecutionRow) = (ExecutionState.Empty, FailureLedger.Empty, null, [], null);
        StoredKeys.Clear();
    }

    internal override bool Idle => Pending.All(effect => effect.Kind == PendingKind.Deadline);
}
