# medcore as one image: web server, service, scheduler and worker differ by their command (compose.yaml).
FROM python:3.12-slim-bookworm

# OpenMP for LightGBM; nothing else comes from the system.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*

RUN useradd --uid 10001 --create-home --home-dir /data --shell /usr/sbin/nologin medcore && chmod 700 /data
WORKDIR /opt/medcore
COPY requirements/py312.txt requirements/
# The driver of the object store is not among what medcore needs on one machine.
RUN pip install --no-cache-dir --require-hashes -r requirements/py312.txt && pip install --no-cache-dir s3fs==2026.9.0
COPY . .
ENV PYTHONPATH=/opt/medcore PYTHONUNBUFFERED=1 TF_CPP_MIN_LOG_LEVEL=3 MEDCORE_DATA=/data
RUN python -m compileall -q medcore pages app.py
USER medcore
VOLUME /data
CMD ["python", "-m", "medcore", "app", "--port", "8501"]
