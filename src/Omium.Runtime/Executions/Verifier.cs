using System.Security.Cryptography;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Runtime.Payloads;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Executions;

/// <summary>What a verification came to.</summary>
public enum VerifyVerdict
{
    /// <summary>Every record was decided again from its command, and the bytes are equal.</summary>
    Identical,

    /// <summary>Chain, digests and fold hold; some records were decided by another kernel version, whose decisions are not claimed.</summary>
    Consistent,

    /// <summary>The key was destroyed: the chain holds, the contents cannot be read any more.</summary>
    Erased,

    /// <summary>Something does not agree with something else; <see cref="VerifyReport.Detail"/> says what.</summary>
    Corrupt,
}

/// <summary>The verdict over a stream.</summary>
/// <param name="Verdict">The verdict.</param>
/// <param name="Records">Records that were looked at and hold.</param>
/// <param name="Detail">With corrupt and consistent: what and where.</param>
public sealed record VerifyReport(VerifyVerdict Verdict, long Records, string? Detail);

/// <summary>
/// Proves that a stored execution is what the kernel decided. Reads the log, the payloads and the spec; trusts no cache; calls no tool, no
/// model and no clock. Each record: its hash follows from the one before and from its sealed bytes; its body opens; decided again from the
/// recorded command it gives the same bytes; every payload it refers to is there and has its digest. A fork is verified with the part of its source
/// that it begins with.
/// </summary>
public sealed class Verifier(IEventLog log, IPayloadStore payloads, IDocumentStore documents, IKeyWrap keys)
{
    private const int PageRecords = 500;

    /// <summary>Verifies a stream from its first record; null when there is none.</summary>
    public async Task<VerifyReport?> VerifyAsync(StreamId stream, CancellationToken cancellation = default)
    {
        var history = new HistoryReader(log, keys);
        Lineage lineage;
        byte[]? dataKey;
        try
        {
            (lineage, dataKey) = await history.FindAsync(stream, cancellation);
        }
        catch (CryptographicException)
        {
            return new VerifyReport(VerifyVerdict.Corrupt, 0, "the stream's key does not open");
        }

        var run = new Run(lineage, dataKey, payloads, documents);
        while (true)
        {
            var page = await history.ReadAsync(lineage, run.Records, PageRecords, cancellation);
            foreach (var (segment, record) in page)
            {
                if (await run.CheckAsync(segment, record, cancellation) is { } problem)
                {
                    var of = lineage.IsFork ? $" of {segment.Stream.Id}" : "";
                    return new VerifyReport(VerifyVerdict.Corrupt, run.Records, $"record {record.Seq}{of}: {problem}");
                }
            }

            if (page.Count < PageRecords)
            {
                break;
            }
        }

        return run switch
        {
            { Records: 0 } => null,
            _ when dataKey is null => new VerifyReport(VerifyVerdict.Erased, run.Records, "the key was destroyed; the chain of hashes holds"),
            { OtherKernel: { } version } => new VerifyReport(VerifyVerdict.Consistent, run.Records, $"some records were decided by kernel {version}; this is kernel {ExecutionKernel.Version}"),
            _ => new VerifyReport(VerifyVerdict.Identical, run.Records, null),
        };
    }

    private sealed class Run(Lineage lineage, byte[]? dataKey, IPayloadStore payloads, IDocumentStore documents)
    {
        private readonly HashSet<string> _checked = new(StringComparer.Ordinal);
        private readonly PayloadCache _cache = new(PayloadVault.CacheBytesMax); // Its own: filled from the store in this run.
        private byte[] _lastHash = RecordCodec.Genesis;
        private ExecutionState _state = ExecutionState.Empty;
        private readonly Dictionary<string, WorkflowPlan> _plans = new(StringComparer.Ordinal);

        public long Records { get; private set; }

        public int? OtherKernel { get; private set; }

        /// <summary>Checks the next record; a text says what is wrong.</summary>
        public async Task<string?> CheckAsync(Segment segment, LogRecord record, CancellationToken cancellation)
        {
            var problem = ChainProblem(segment, record) ?? (dataKey is null ? null : await CheckBodyAsync(segment.Stream, record, dataKey, cancellation));
            if (problem is null)
            {
                Records = segment.Offset + record.Seq;
                _lastHash = record.Hash;
            }

            return problem;
        }

        private string? ChainProblem(Segment segment, LogRecord record)
        {
            // A fork whose marker was destroyed with its data: where it began cannot be known any more, only that it is a fork.
            var isErasedFork = dataKey is null && !lineage.IsFork && record is { Command: "fork", Seq: 1 };
            return RecordCodec.ChainProblem(record, Records - segment.Offset, isErasedFork ? record.PrevHash : _lastHash);
        }

        private async Task<string?> CheckBodyAsync(StreamId stream, LogRecord record, byte[] key, CancellationToken cancellation)
        {
            try
            {
                var stored = RecordCodec.Open(stream, record, key);
                var body = KernelJson.Deserialize(stored);
                var problem = CheckEnvelope(record, body)
                    ?? await CheckPayloadsAsync(stored, key, cancellation)
                    ?? CheckFork(stream, body)
                    ?? await CheckSpecAsync(body, cancellation)
                    ?? await CheckDecisionAsync(record, body, stored, key, cancellation);
                if (problem is null)
                {
                    _state = ExecutionKernel.Fold(_state, body);
                }

                return problem;
            }
            catch (Exception error) when (error is CryptographicException or JsonException or CorruptLogException or NotSupportedException or InvalidDataException)
            {
                return $"its body cannot be read: {error.Message}";
            }
        }

        private static string? CheckEnvelope(LogRecord record, RecordBody body) =>
            record.Command != body.Command.Name || record.AtUnixMs != body.Command.AtMs || record.EventTypes != string.Join(' ', body.Events.Select(RecordCodec.NameOf))
                ? "its envelope does not agree with its body"
                : null;

        /// <summary>A fork begins where it says, with the record that it names.</summary>
        private string? CheckFork(StreamId stream, RecordBody body) => body.Command switch
        {
            ForkExecution fork when fork.From != _state.ExecutionId || fork.At != Records || fork.ExecutionId != stream.Id => "it does not begin where it says it does",
            ForkExecution fork when fork.SourceHash != Convert.ToHexStringLower(_lastHash) => "it names another hash than that of the record it begins with",
            _ => null,
        };

        /// <summary>Every payload the record refers to, and what those refer to in turn.</summary>
        private async Task<string?> CheckPayloadsAsync(byte[] stored, byte[] key, CancellationToken cancellation)
        {
            var open = new Queue<string>(PayloadResolver.References(JsonElement.Parse(stored)));
            while (open.TryDequeue(out var digest))
            {
                if (!_checked.Add(digest))
                {
                    continue;
                }

                if (await ReadPayloadAsync(digest, key, cancellation) is not { } bytes)
                {
                    return $"payload {digest} is missing";
                }

                if (CanonicalJson.Digest(bytes) != digest)
                {
                    return $"payload {digest} has other bytes than its digest says";
                }

                foreach (var inner in PayloadResolver.References(CanonicalJson.ParseTrusted(bytes)))
                {
                    open.Enqueue(inner);
                }
            }

            return null;
        }

        /// <summary>The specs that the decision needs: the pinned one, and with a migration the one that it moves to.</summary>
        private async Task<string?> CheckSpecAsync(RecordBody body, CancellationToken cancellation)
        {
            if (Records == 0 && body.Command is not StartExecution)
            {
                return "the stream does not begin with a start";
            }

            var problem = await LoadAsync(body.Command is StartExecution start ? start.SpecDigest : _state.SpecDigest, cancellation);
            return problem ?? (body.Command is MigrateExecution migrate ? await LoadAsync(migrate.SpecDigest, cancellation) : null);
        }

        private async Task<string?> LoadAsync(string digest, CancellationToken cancellation)
        {
            if (_plans.ContainsKey(digest))
            {
                return null;
            }

            if (await documents.GetAsync(new DocumentKey(lineage.Root.Tenant, PlanCache.Kind, digest), cancellation) is not { } spec)
            {
                return $"the spec {digest} is missing";
            }

            if (CanonicalJson.Digest(spec.Content) != digest)
            {
                return $"the spec {digest} has other bytes than its digest says";
            }

            if (PlanCache.Compile(CanonicalJson.ParseTrusted(spec.Content), out var problem) is not { } plan)
            {
                return $"the spec {digest} does not compile: {problem}";
            }

            _plans[digest] = plan;
            return null;
        }

        private async Task<string?> CheckDecisionAsync(LogRecord record, RecordBody body, byte[] stored, byte[] key, CancellationToken cancellation)
        {
            if (record.Kernel != ExecutionKernel.Version)
            {
                OtherKernel ??= record.Kernel;
                return null;
            }

            var pinned = _plans[body.Command is StartExecution start ? start.SpecDigest : _state.SpecDigest];
            var values = new DecisionValues(pinned) { Target = body.Command is MigrateExecution migrate ? _plans[migrate.SpecDigest] : null };
            foreach (var digest in ExecutionKernel.Needs(_state, body.Command, pinned))
            {
                if (await ReadPayloadAsync(digest, key, cancellation) is { } bytes)
                {
                    values.TryGive(digest, CanonicalJson.ParseTrusted(bytes));
                }
            }

            var outcome = ExecutionKernel.Decide(_state, body.Command, values);
            while (outcome.Wishes.Count > 0 && await GrantAsync(outcome.Wishes, values, key, cancellation))
            {
                outcome = ExecutionKernel.Decide(_state, body.Command, values);
            }

            return KernelJson.Serialize(new RecordBody(body.Command, outcome.Events)).AsSpan().SequenceEqual(stored)
                ? null
                : $"decided again, '{body.Command.Name}' gives other events";
        }

        private async Task<bool> GrantAsync(IReadOnlyList<PayloadWish> wishes, DecisionValues values, byte[] key, CancellationToken cancellation)
        {
            var hasGiven = false;
            foreach (var wish in wishes)
            {
                if (await ReadPayloadAsync(wish.Digest, key, cancellation) is { } bytes)
                {
                    hasGiven |= values.TryGive(wish, CanonicalJson.ParseTrusted(bytes));
                }
            }

            return hasGiven;
        }

        private ValueTask<byte[]?> ReadPayloadAsync(string digest, byte[] key, CancellationToken cancellation) =>
            new PayloadReader(lineage.Root, name => PayloadVault.OpenAsync(payloads, lineage.Root, key, name, cancellation), _cache).ReadAsync(digest);
    }
}
