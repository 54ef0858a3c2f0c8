using Omium.Kernel.Ledger;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Billing;

/// <summary>Proves that a stored ledger is what the kernel decided, and that its entries sum to 0 after every record.</summary>
public sealed class LedgerVerifier(IEventLog log, IKeyWrap keys) : StreamVerifier<LedgerState>(log, keys, LedgerState.Empty, LedgerKernel.Version)
{
    /// <summary>Verifies a tenant's ledger from its first record; null when it has none.</summary>
    public Task<VerifyReport?> VerifyAsync(string tenant, CancellationToken cancellation = default) => VerifyStreamAsync(LedgerAdvancer.StreamOf(tenant), cancellation);

    /// <inheritdoc/>
    protected override string? Check(LogRecord record, byte[] stored, bool isOwn, ref LedgerState state)
    {
        ArgumentNullException.ThrowIfNull(record);
        var body = LedgerJson.Deserialize(stored);
        if (record.Command != PostRequests.Name || record.AtUnixMs != body.Command.AtMs || record.EventTypes != LedgerAdvancer.NamesOf(body.Events))
        {
            return "its envelope does not agree with its body";
        }

        if (isOwn && LedgerKernel.Decide(state, body.Command) is var again && !LedgerJson.Serialize(new LedgerBody(again.Command, again.Events)).AsSpan().SequenceEqual(stored))
        {
            return "decided again, its requests give other events";
        }

        state = LedgerKernel.Fold(state, body);
        return state.Accounts.Sum() == 0 ? null : "the accounts do not sum to 0";
    }
}
