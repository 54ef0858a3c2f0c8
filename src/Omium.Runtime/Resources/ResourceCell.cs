using Omium.Kernel.Resources;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Resources;

/// <summary>What a host keeps of one root: the fold up to a record. Guarded by its gate.</summary>
public sealed class ResourceCell(StreamId stream) : StreamCell(stream)
{
    /// <summary>The fold. Safe to read without the gate (it is immutable).</summary>
    public ResourceState State { get; internal set; } = ResourceState.Empty;

    internal IndexRow? Row { get; set; }

    internal override bool Idle => State.Queue.Count == 0 && State.Holders.Count == 0;
}
