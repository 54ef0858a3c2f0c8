using Omium.Kernel.Ledger;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Billing;

/// <summary>What a host keeps of one ledger: the fold up to a record. Guarded by its gate.</summary>
public sealed class LedgerCell(StreamId stream) : StreamCell(stream)
{
    /// <summary>The fold. Safe to read without the gate (it is immutable).</summary>
    public LedgerState State { get; internal set; } = LedgerState.Empty;

    internal override bool Idle => State.Reservations.IsEmpty;
}
