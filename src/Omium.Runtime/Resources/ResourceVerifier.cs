using System.Security.Cryptography;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Resources;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Resources;

/// <summary>
/// Proves that the stored stream of a root is what the kernel decided: each record's hash follows from the one before and from its sealed bytes,
/// its body opens, and decided again from the recorded command it gives the same bytes. Reads the log only.
/// </summary>
public sealed class ResourceVerifier(IEventLog log, IKeyWrap keys)
{
    private const int PageRecords = 500;

    /// <summary>Verifies a resource stream from its first record; null when there is none.</summary>
    public async Task<VerifyReport?> VerifyAsync(StreamId stream, CancellationToken cancellation = default)
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

        var (seq, hash, state) = (0L, RecordCodec.Genesis, ResourceState.Empty);
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
            : otherKernel is { } version ? new VerifyReport(VerifyVerdict.Consistent, seq, $"some records were decided by kernel {version}; this is kernel {ResourceKernel.Version}")
            : new VerifyReport(VerifyVerdict.Identical, seq, null);
    }

    private static string? CheckBody(StreamId stream, LogRecord record, byte[] key, ref ResourceState state, ref int? otherKernel)
    {
        try
        {
            var stored = RecordCodec.Open(stream, record, key);
            var body = ResourceJson.Deserialize(stored);
            if (record.Command != body.Command.Name || record.AtUnixMs != body.Command.AtMs || record.EventTypes != string.Join(' ', body.Events.Select(ResourceAdvancer.NameOf)))
            {
                return "its envelope does not agree with its body";
            }

            if (record.Kernel != ResourceKernel.Version)
            {
                otherKernel ??= record.Kernel;
            }
            else if (!ResourceJson.Serialize(new ResourceBody(body.Command, ResourceKernel.Decide(state, body.Command).Events)).AsSpan().SequenceEqual(stored))
            {
                return $"decided again, '{body.Command.Name}' gives other events";
            }

            state = ResourceKernel.Fold(state, body);
            return null;
        }
        catch (Exception error) when (error is CryptographicException or JsonException or CorruptLogException or NotSupportedException)
        {
            return $"its body cannot be read: {error.Message}";
        }
    }
}
