using System.Security.Cryptography;
using System.Text;
using Omium.Runtime.Ports;

namespace Omium.Conformance.Storage;

/// <summary>Records and appends for tests. Each field has its own value, so that two columns exchanged by a store show.</summary>
public static class Sample
{
    public static StreamId Stream(string id = "exe_1", string tenant = "acme") => new(tenant, id);

    public static LogRecord Record(long seq, string? appendId = null, byte[]? body = null) => new(
        seq,
        appendId ?? $"app_{seq}",
        Kernel: 7,
        AtUnixMs: 1_700_000_000_000 + seq,
        Command: "effect.result",
        EventTypes: "step.committed checkpoint.created",
        PrevHash: SHA256.HashData(BitConverter.GetBytes(seq - 1)),
        Hash: SHA256.HashData(BitConverter.GetBytes(seq)),
        Body: body ?? Encoding.UTF8.GetBytes($"body {seq}"));

    public static Append Append(StreamId stream, long expectedSeq, string? appendId = null, byte[]? body = null) =>
        new(stream, expectedSeq, Record(expectedSeq + 1, appendId, body));

    public static byte[] Bytes(int count, int seed = 1)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Field by field: a record's own equality compares its arrays by reference.</summary>
    public static void AssertEqual(LogRecord expected, LogRecord actual)
    {
        Assert.Equal(expected.PrevHash, actual.PrevHash);
        Assert.Equal(expected.Hash, actual.Hash);
        Assert.Equal(expected.Body, actual.Body);
        byte[] none = [];
        Assert.Equal(
            expected with { PrevHash = none, Hash = none, Body = none },
            actual with { PrevHash = none, Hash = none, Body = none });
    }
}
