using System.Security.Cryptography;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Executions;

/// <summary>
/// Proves that a stored stream of one kernel is what that kernel decided: each record's hash follows from the one before and from its sealed bytes, its
/// body opens, and decided again from the recorded command it gives the same bytes. Reads the log only.
/// </summary>
/// <param name="log">The log.</param>
/// <param name="keys">What opens the streams' keys.</param>
/// <param name="empty">The state before the first record.</param>
/// <param name="kernelVersion">Version of the kernel that decides again; what another one decided is folded, and that is said.</param>
public abstract class StreamVerifier<TState>(IEventLog log, IKeyWrap keys, TState empty, int kernelVersion)
{
    private const int PageRecords = 500;

    /// <summary>Verifies a stream from its first record; null when there is none.</summary>
    protected async Task<VerifyReport?> VerifyStreamAsync(StreamId stream, CancellationToken cancellation)
    {
        byte[]? key;
        try
        {
            key = await log.ReadKeyAsync(stream, cancellation) is { } wrapped ? keys.Unwrap(wrapped) : null;
        }
        catch (CryptographicException)
        {
            return new VerifyReport(VerifyVerdict.Corrupt, 0, "the stream's key does not open");
        }

        var (seq, hash, state) = (0L, RecordCodec.Genesis, empty);
        int? otherKernel = null;
        while (true)
        {
            var page = await log.ReadAsync(stream, seq, PageRecords, cancellation);
            foreach (var record in page)
            {
                if ((RecordCodec.ChainProblem(record, seq, hash) ?? (key is null ? null : CheckBody(stream, record, key, ref state))) is { } problem)
                {
                    return new VerifyReport(VerifyVerdict.Corrupt, seq, $"record {record.Seq}: {problem}");
                }

                otherKernel ??= key is null || record.Kernel == kernelVersion ? null : record.Kernel;
                (seq, hash) = (record.Seq, record.Hash);
            }

            if (page.Count < PageRecords)
            {
                break;
            }
        }

        return seq == 0 ? null
            : key is null ? new VerifyReport(VerifyVerdict.Erased, seq, "the key was destroyed; the chain of hashes holds")
            : otherKernel is { } version ? new VerifyReport(VerifyVerdict.Consistent, seq, $"some records were decided by kernel {version}; this is kernel {kernelVersion}")
            : new VerifyReport(VerifyVerdict.Identical, seq, null);
    }

    /// <summary>What is wrong with a record, or null; with the state before it, and after it when it is sound.</summary>
    /// <param name="record">The record.</param>
    /// <param name="stored">Its body, opened.</param>
    /// <param name="isOwn">True when this kernel decided it, and can decide it again.</param>
    /// <param name="state">State.</param>
    protected abstract string? Check(LogRecord record, byte[] stored, bool isOwn, ref TState state);

    private string? CheckBody(StreamId stream, LogRecord record, byte[] key, ref TState state)
    {
        try
        {
            return Check(record, RecordCodec.Open(stream, record, key), record.Kernel == kernelVersion, ref state);
        }
        catch (Exception error) when (error is CryptographicException or JsonException or CorruptLogException or NotSupportedException or OverflowException)
        {
            return $"its body cannot be read: {error.Message}";
        }
    }
}
