using Omium.Kernel.Resources;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Resources;

/// <summary>Proves that the stored stream of a root (its locks and shared values) is what the kernel decided.</summary>
public sealed class ResourceVerifier(IEventLog log, IKeyWrap keys) : StreamVerifier<ResourceState>(log, keys, ResourceState.Empty, ResourceKernel.Version)
{
    /// <summary>Verifies a resource stream from its first record; null when there is none.</summary>
    public Task<VerifyReport?> VerifyAsync(StreamId stream, CancellationToken cancellation = default) => VerifyStreamAsync(stream, cancellation);

    /// <inheritdoc/>
    protected override string? Check(LogRecord record, byte[] stored, bool isOwn, ref ResourceState state)
    {
        ArgumentNullException.ThrowIfNull(record);
        var body = ResourceJson.Deserialize(stored);
        if (record.Command != body.Command.Name || record.AtUnixMs != body.Command.AtMs || record.EventTypes != string.Join(' ', body.Events.Select(ResourceAdvancer.NameOf)))
        {
            return "its envelope does not agree with its body";
        }

        if (isOwn && !ResourceJson.Serialize(new ResourceBody(body.Command, ResourceKernel.Decide(state, body.Command).Events)).AsSpan().SequenceEqual(stored))
        {
            return $"decided again, '{body.Command.Name}' gives other events";
        }

        state = ResourceKernel.Fold(state, body);
        return null;
    }
}
