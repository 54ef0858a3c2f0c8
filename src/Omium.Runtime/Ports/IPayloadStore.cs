namespace Omium.Runtime.Ports;

/// <summary>Sealed payloads, one scope per execution (forks share their root's scope). Content never changes once put.</summary>
public interface IPayloadStore
{
    /// <summary>Stores the bytes unless the key exists. True when this call created it. Durable when it returns.</summary>
    Task<bool> PutIfAbsentAsync(string tenant, SealedPayload payload, CancellationToken cancellation = default);

    /// <summary>The bytes, or null.</summary>
    Task<byte[]?> GetAsync(string tenant, string scope, string key, CancellationToken cancellation = default);
}
