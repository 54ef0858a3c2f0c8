using System.Security.Cryptography;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Ledger;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Billing;

/// <summary>
/// Proves that a stored ledger is what the kernel decided: each record's hash follows from the one before and from its sealed bytes, its body opens,
/// decided again from the recorded requests it gives the same bytes, and its entries sum to 0. Reads the log only.
/// </summary>
public sealed class LedgerVerifier(IEventLog log, IKeyWrap keys)
{
    private const int PageRecords = 500;

    /// <summary>Verifies a tenant's ledger from its first record; null when it has none.</summary>
    public async Task<VerifyReport?> VerifyAsync(string tenant, CancellationToken cancellation = default)
    {
        var stream = LedgerAdvancer.StreamOf(tenant);
        byte[]? key;
        try
        {
            key = await log.ReadKeyAsync(stream, cancellation) is { } wrapped ? keys.Unwrap(wrapped) : null;
        }
        catch (CryptographicException)
        {
            return new VerifyReport(VerifyVerdict.Corrupt, 0, "the stream's key does not open");
        }

        var (seq, hash, state) = (0L, RecordCodec.Genesis, LedgerState.Empty);
        int? otherKernel = null;
        while (true)
        {
            var page = await log.ReadAsync(stream, seq, PageRecords, cancellation);
            foreach (var record in page)
            {
                var problem = RecordCodec.ChainProblem(record, seq, hash) ?? (key is null ? null : CheckBody(stream, record, key, ref state, ref otherKernel));
                if (problem is not null)
                {
                    return new VerifyReport(VerifyVerdict.Corrupt, seq, $"record {record.Seq}: {problem}");
                }

                (seq, hash) = (record.Seq, record.Hash);
            }

            if (page.Count < PageRecords)
            {
                break;
            }
        }

        return seq == 0 ? null
            : key is null ? new VerifyReport(VerifyVerdict.Erased, seq, "the key was destroyed; the chain of hashes holds")
            : otherKernel is { } version ? new VerifyReport(VerifyVerdict.Consistent, seq, $"some records were decided by kernel {version}; this is kernel {LedgerKernel.Version}")
            : new VerifyReport(VerifyVerdict.Identical, seq, null);
    }

    private static string? CheckBody(StreamId stream, LogRecord record, byte[] key, ref LedgerState state, ref int? otherKernel)
    {
        try
        {
            var stored = RecordCodec.Open(stream, record, key);
            var body = LedgerJson.Deserialize(stored);
            if (record.Command != PostRequests.Name || record.AtUnixMs != body.Command.AtMs || record.EventTypes != LedgerAdvancer.NamesOf(body.Events))
            {
                return "its envelope does not agree with its body";
            }

            if (record.Kernel != LedgerKernel.Version)
            {
                otherKernel ??= record.Kernel;
            }
            else if (LedgerKernel.Decide(state, body.Command) is var again && !LedgerJson.Serialize(new LedgerBody(again.Command, again.Events)).AsSpan().SequenceEqual(stored))
            {
                return "decided again, its requests give other events";
            }

            state = LedgerKernel.Fold(state, body);
            return state.Accounts.Sum() == 0 ? null : "the accounts do not sum to 0";
        }
        catch (Exception error) when (error is CryptographicException or JsonException or CorruptLogException or NotSupportedException or OverflowException)
        {
            return $"its body cannot be read: {error.Message}";
        }
    }
}
